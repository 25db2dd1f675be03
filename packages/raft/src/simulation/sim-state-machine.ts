// The state machine of simulated members: it remembers every command it was given, in order. Either it lives in memory (then the node writes
// its snapshots), or it keeps a durable copy of its own, which after a crash is as old as the last checkpoint or somewhat newer.
import { assert } from '../core/assert.ts'
import type { LogIndex, Membership } from '../core/types.ts'
import type { CommittedEntry, StateMachine, StateSnapshot } from '../node/types.ts'
import type { SeededRandom } from './random.ts'

const commandsPerChunk = 16

/** The commands up to and with an index: the first `count` of a list that only grows. */
export interface CommandState {
  readonly index: LogIndex
  readonly commands: readonly string[]
  readonly count: number
}

/** What a durable state machine finds again after a crash. Outlives the member. */
export class DurableState {
  #durable: CommandState = { index: 0, commands: [], count: 0 }
  /** Written and not synced, oldest first: a crash keeps some of it, from the oldest on. */
  #written: CommandState[] = []

  get index(): LogIndex {
    return this.#durable.index
  }

  commands(): string[] {
    return this.#durable.commands.slice(0, this.#durable.count)
  }

  write(state: CommandState): void {
    this.#written.push(state)
  }

  sync(index: LogIndex): void {
    const synced = this.#written.findLast((state) => state.index <= index)
    if (synced === undefined) return
    this.#durable = synced
    this.#written = this.#written.filter((state) => state.index > synced.index)
  }

  /** The process is gone and what it wrote is still there. */
  kill(): void {
    this.#durable = this.#written.at(-1) ?? this.#durable
    this.#written = []
  }

  crash(random: SeededRandom): void {
    const kept = this.#written[random.integer(-1, this.#written.length - 1)]
    if (kept !== undefined) this.#durable = kept
    this.#written = []
  }
}

export interface StateMachineEvents {
  applied(entry: CommittedEntry): void
  restored(index: LogIndex): void
}

export interface SimStateMachineOptions {
  readonly events: StateMachineEvents
  readonly durable: DurableState | undefined
  /** Waits for the simulated disk. */
  readonly sync: () => Promise<void>
}

export class SimStateMachine implements StateMachine<LogIndex> {
  readonly #events: StateMachineEvents
  readonly #durableState: DurableState | undefined
  readonly #sync: () => Promise<void>
  #commands: string[]
  #appliedIndex: LogIndex
  membership: Membership | undefined
  readonly durable?: NonNullable<StateMachine<LogIndex>['durable']>

  constructor(options: SimStateMachineOptions) {
    this.#events = options.events
    this.#durableState = options.durable
    this.#sync = options.sync
    this.#commands = options.durable?.commands() ?? []
    this.#appliedIndex = options.durable?.index ?? 0
    if (options.durable !== undefined) {
      const appliedIndex = this.#appliedIndex
      this.durable = { appliedIndex, checkpoint: () => this.#checkpoint() }
    }
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex
  }

  get commands(): readonly string[] {
    return this.#commands
  }

  async #checkpoint(): Promise<LogIndex> {
    const index = this.#appliedIndex
    await this.#sync()
    this.#durableState?.sync(index)
    return this.#durableState?.index ?? 0
  }

  apply(entry: CommittedEntry): readonly LogIndex[] {
    this.#events.applied(entry)
    this.#appliedIndex = entry.index
    for (const command of entry.commands) this.#commands.push(commandName(command))
    this.#write()
    return entry.commands.map(() => entry.index)
  }

  #write(): void {
    const commands = this.#commands
    this.#durableState?.write({ index: this.#appliedIndex, commands, count: commands.length })
  }

  membershipChanged(membership: Membership): void {
    this.membership = membership
  }

  snapshot(): StateSnapshot {
    const index = this.#appliedIndex
    const pinned = [...this.#commands]
    return { index, chunks: () => chunksOf(pinned), release: () => {} }
  }

  async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    assert(index >= this.#appliedIndex, 'a state machine never goes back in time')
    let text = ''
    for await (const chunk of chunks) text += Buffer.from(chunk).toString()
    this.#commands = text.split('\n').filter((line) => line !== '')
    this.#appliedIndex = index
    this.#events.restored(index)
    this.#write()
    if (this.#durableState === undefined) return
    await this.#sync()
    this.#durableState.sync(index)
  }
}

/** What comes after the name is padding. */
function commandName(command: Uint8Array): string {
  const text = Buffer.from(command.buffer, command.byteOffset, command.byteLength).toString()
  return text.slice(0, text.indexOf(' '))
}

async function* chunksOf(commands: readonly string[]): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < commands.length; from += commandsPerChunk) {
    const lines = commands.slice(from, from + commandsPerChunk).map((command) => `${command}\n`)
    yield await Promise.resolve(Buffer.from(lines.join('')))
  }
}
