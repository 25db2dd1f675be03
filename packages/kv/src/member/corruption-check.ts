// Compares the data of all members by HashKV, as etcd's leader does, and raises CORRUPT for those that differ from most: the leader may be
// the one that is wrong. Members answer for the revision the leader names; one that is behind or has compacted otherwise cannot be compared
// and is asked again next time.
import { KvError } from '../errors.ts'
import { encodeAlarmRequest } from '../proto/index.ts'
import { alarmAction, alarmType, type MemberRecord } from '../proto/messages.ts'
import { answer } from './answer.ts'
import { idText } from './identity.ts'
import type { LogGate } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import type { JsonObject, PeerAnswerer, PeerQuestions } from './peer-questions.ts'
import type { KvStateMachine } from './state-machine.ts'
import type { StoragePlan } from './storage-options.ts'
import type { Done } from './types.ts'

export const hashPath = '/balsa/hash'
/** A member hashes everything it has for an answer. */
const answerTimeoutMs = 60_000

export interface CorruptionCheckOptions {
  readonly id: bigint
  readonly gate: LogGate
  readonly clock: MemberClock
  readonly stateMachine: KvStateMachine
  readonly data: HashSource
  readonly questions: PeerQuestions
  readonly members: () => readonly MemberRecord[]
  readonly storage: StoragePlan
}

/** What one member says of its data. */
export interface DataHash {
  readonly hash: number
  readonly compactRevision: number
  readonly hashRevision: number
}

interface Answers {
  readonly own: DataHash
  readonly answers: readonly {
    readonly peer: MemberRecord
    readonly theirs: DataHash | undefined
  }[]
}

export interface HashSource {
  /** At a revision, 0 for the newest. Rejects with COMPACTED or FUTURE_REVISION. */
  hashAt(revision: number): Promise<DataHash>
}

export class CorruptionCheck {
  readonly #options: CorruptionCheckOptions
  readonly #cancels: (() => void)[] = [() => undefined, () => undefined]
  #isRunning = false
  #checkedCompaction = -1

  constructor(options: CorruptionCheckOptions) {
    this.#options = options
    const { corruptCheckTimeMs, compactHashCheckTimeMs } = options.storage
    this.#repeat(0, corruptCheckTimeMs, () => this.check(0))
    this.#repeat(1, compactHashCheckTimeMs, () => this.#checkCompaction())
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
  }

  /** Before this member serves: throws if another has other data at the revision that is newest here. */
  async checkAtStart(): Promise<void> {
    const { id } = this.#options
    const { own, answers } = await this.#askAll(0)
    const isWrong = ({ theirs }: { theirs: DataHash | undefined }): boolean =>
      theirs?.compactRevision === own.compactRevision && theirs.hash !== own.hash
    if (!answers.some(isWrong)) return
    const message = `${idText(id)} found data inconsistency with peers`
    throw new KvError('CORRUPT', { message })
  }

  /** Compares at a revision, 0 for the newest; resolves with the members that differ, for whom the alarm is raised. */
  async check(revision: number): Promise<readonly bigint[]> {
    const { id, storage } = this.#options
    const { own, answers } = await this.#askAll(revision)
    const comparable = [{ id, hash: own.hash }]
    for (const { peer, theirs } of answers) {
      // Hashes of histories that were compacted at different revisions say nothing.
      if (theirs?.compactRevision !== own.compactRevision) continue
      comparable.push({ id: peer.id, hash: theirs.hash })
    }
    const right = mostCommon(comparable.map(({ hash }) => hash))
    const differing = comparable.filter(({ hash }) => hash !== right).map((one) => one.id)
    for (const other of differing) await this.#setAlarm(alarmAction.activate, other)
    if (storage.corruptRepair) {
      for (const one of comparable) {
        if (one.hash === right) await this.#setAlarm(alarmAction.deactivate, one.id)
      }
    }
    return differing
  }

  async #askAll(revision: number): Promise<Answers> {
    const { id, data, members } = this.#options
    const own = await data.hashAt(revision)
    const others = members().filter((member) => member.id !== id && member.peerUrls.length > 0)
    const answers = await Promise.all(
      others.map(async (peer) => ({ peer, ...(await this.#ask(peer, own.hashRevision)) })),
    )
    return { own, answers }
  }

  async #checkCompaction(): Promise<void> {
    const { compactRevision } = this.#options.stateMachine.store
    if (compactRevision <= 0 || compactRevision === this.#checkedCompaction) return
    await this.check(compactRevision)
    this.#checkedCompaction = compactRevision
  }

  #repeat(slot: number, intervalMs: number, run: () => Promise<unknown>): void {
    if (intervalMs <= 0) return
    const { id, gate, clock } = this.#options
    this.#cancels[slot] = clock.setTimer(intervalMs, () => {
      if (gate.leader === id && !this.#isRunning) void this.#once(run)
      this.#repeat(slot, intervalMs, run)
    })
  }

  async #once(run: () => Promise<unknown>): Promise<void> {
    this.#isRunning = true
    try {
      await run()
    } catch (reason) {
      // Compacted or closed meanwhile: the next round asks anew.
      if (!(reason instanceof KvError)) throw reason
    } finally {
      this.#isRunning = false
    }
  }

  #ask(peer: MemberRecord, revision: number): Promise<{ theirs: DataHash | undefined }> {
    const [url = ''] = peer.peerUrls
    return new Promise((resolve) => {
      this.#options.questions.ask(
        url,
        hashPath,
        { revision },
        ({ status, body }) => resolve({ theirs: status === 200 ? parseHash(body) : undefined }),
        answerTimeoutMs,
      )
    })
  }

  #setAlarm(action: number, memberId: bigint): Promise<void> {
    const { gate, stateMachine } = this.#options
    const isRaised = stateMachine.alarms.isRaised(alarmType.corrupt, memberId)
    if (isRaised === (action === alarmAction.activate)) return Promise.resolve()
    const body = encodeAlarmRequest({ action, memberId, alarm: alarmType.corrupt })
    return new Promise((resolve) => gate.propose('alarm', body, () => resolve()))
  }
}

/** The other members' end. */
export function hashAnswerer(data: HashSource): PeerAnswerer {
  return ({ revision }, reply) => {
    if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0) {
      reply(400, { error: 'malformed question' })
      return
    }
    const hashed: Done<DataHash> = (error, hash) => {
      if (hash === undefined) reply(409, { error: error?.message })
      else reply(200, { ...hash })
    }
    answer(hashed, data.hashAt(revision), (hash) => hash)
  }
}

/** Of several that are as common the first, which is the leader's. */
function mostCommon(hashes: readonly number[]): number | undefined {
  const counts = new Map<number, number>()
  for (const hash of hashes) counts.set(hash, (counts.get(hash) ?? 0) + 1)
  const [best] = [...counts].sort(([, a], [, b]) => b - a)
  return best?.[0]
}

function parseHash({ hash, compactRevision, hashRevision }: JsonObject): DataHash | undefined {
  if (typeof hash !== 'number' || typeof compactRevision !== 'number') return undefined
  return typeof hashRevision === 'number' ? { hash, compactRevision, hashRevision } : undefined
}
