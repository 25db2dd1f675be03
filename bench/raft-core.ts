// How many entries a second the core alone commits: three cores in memory, no disk, no sockets, one thread, payloads of 256 B.
import { encodeFrame } from '../packages/raft/src/transport/encode-frame.ts'
import { RaftCore } from '../packages/raft/src/core/raft-core.ts'
import type { Message, NodeId, RestoredState } from '../packages/raft/src/core/types.ts'

const payloadSizeBytes = 256
const durationMs = 2_000
/** A floor that a core must keep on a machine of this kind: what the README promises. */
const targetPerSecond = 400_000

const ids = ['a', 'b', 'c'] as NodeId[]

class Trio {
  readonly cores: ReadonlyMap<NodeId, RaftCore>
  readonly #leader: RaftCore
  readonly #withCodec: boolean

  constructor(withCodec: boolean) {
    this.#withCodec = withCodec
    let chance = 0
    this.cores = new Map(
      ids.map((id) => {
        const config = {
          id,
          electionTicks: 10,
          heartbeatTicks: 1,
          messageSizeBytesMax: 512 * 1024,
          inflightMessagesMax: 256,
          inflightSizeBytesMax: 32 * 1024 * 1024,
          uncommittedSizeBytesMax: 64 * 1024 * 1024,
          random: () => (chance += 0.3) % 1,
        }
        return [id, new RaftCore(config, restored())]
      }),
    )
    this.#leader = this.#elect()
  }

  #elect(): RaftCore {
    const [first] = this.cores.values()
    if (first === undefined) throw new Error('no core')
    for (let tick = 0; first.status().role !== 'leader'; tick++) {
      if (tick > 100) throw new Error('nobody was elected')
      first.tick()
      this.settle()
    }
    return first
  }

  get commitIndex(): number {
    return this.#leader.status().commitIndex
  }

  propose(payloads: readonly Uint8Array[]): void {
    const outcome = this.#leader.propose(payloads)
    if (!outcome.accepted) throw new Error(`the leader refuses: ${outcome.reason}`)
    this.settle()
    this.#compact()
  }

  /** Until nobody has anything to say. */
  settle(): void {
    for (let isBusy = true; isBusy;) {
      isBusy = false
      for (const core of this.cores.values()) {
        while (core.hasReady()) {
          isBusy = true
          const { sequence, send, sendAfterPersist, apply } = core.ready()
          this.#deliver(send)
          core.persisted(sequence)
          this.#deliver(sendAfterPersist)
          const last = apply[apply.length - 1]
          if (last !== undefined) core.applied(last.index)
        }
      }
    }
  }

  #deliver(messages: readonly Message[]): void {
    if (this.#withCodec && messages.length > 0) encodeFrame(messages, 2)
    for (const message of messages) this.cores.get(message.to)?.step(message)
  }

  #compact(): void {
    for (const core of this.cores.values()) {
      const { appliedIndex, firstIndex } = core.status()
      if (appliedIndex - firstIndex > 20_000) core.compact(appliedIndex - 5_000)
    }
  }
}

function restored(): RestoredState {
  return {
    hardState: { term: 0, vote: undefined, commit: 0 },
    snapshot: { index: 0, term: 0, membership: { voters: ids, votersOutgoing: [], learners: [] } },
    entries: [],
    appliedIndex: 0,
  }
}

function measure(batch: number, withCodec: boolean): number {
  const trio = new Trio(withCodec)
  const payloads = Array.from({ length: batch }, () => new Uint8Array(payloadSizeBytes))
  const run = (ms: number): number => {
    const before = trio.commitIndex
    const startedAt = performance.now()
    while (performance.now() - startedAt < ms) {
      for (let i = 0; i < 50; i++) trio.propose(payloads)
    }
    return ((trio.commitIndex - before) * 1000) / (performance.now() - startedAt)
  }
  run(durationMs / 4)
  return run(durationMs)
}

export function raftCore(): Promise<void> {
  console.log(
    'raft-core: three cores in memory on one thread, entries of 256 B, committed a second',
  )
  for (const batch of [1, 16, 64, 256]) {
    const perSecond = measure(batch, false)
    const verdict = batch >= 64 ? ` (${(perSecond / targetPerSecond).toFixed(1)} x 400,000)` : ''
    console.log(`  ${String(batch).padStart(3)} entries a turn: ${format(perSecond)}${verdict}`)
  }
  console.log(`   64 entries a turn, every message encoded: ${format(measure(64, true))}`)
  return Promise.resolve()
}

function format(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en')
}
