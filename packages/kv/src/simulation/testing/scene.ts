// A cluster that a test leads by the hand: three members on which nothing fails but what the test says, each request and each watcher
// where the test wants it, and all checkers as in a seeded run.
import { SeededRandom } from '@balsa/raft/simulation'
import type { Answer, Answers } from '../calls.ts'
import type { KvError } from '../../errors.ts'
import { prefixEnd } from '../../mvcc/key-range.ts'
import type { PutRequest, WatchCreateRequest } from '../../proto/messages.ts'
import { noExtras } from '../extras.ts'
import type { MemberProfile } from '../profile.ts'
import { anyRange, type KvRequest } from '../requests.ts'
import { SimCluster } from '../sim-cluster.ts'
import type { SimMember } from '../sim-member.ts'
import { SceneWatch } from './scene-watch.ts'

/** A request of a scene is answered within this time, or the scene is over. */
const patienceMs = 60_000

const quiet: MemberProfile = {
  memberCount: 3,
  network: {
    lossRate: 0,
    repeatRate: 0,
    delayMinMs: 1,
    delayMaxMs: 2,
    delaySlowMs: 2,
    slowRate: 0,
    isOrdered: true,
  },
  syncMsMax: 1,
  tableStepMsMax: 0,
  viewRowsMax: 1_000,
  crashEveryMs: 0,
  downMs: 0,
  partitionEveryMs: 0,
  partitionMs: 0,
  pauseEveryMs: 0,
  pauseMs: 0,
  driftEveryMs: 0,
  driftRateMax: 0.001,
  heartbeatIntervalMs: 100,
  electionTimeoutMs: 1_000,
  snapshotEntries: 1_000,
  catchUpEntries: 0,
  logRetentionEntriesMax: 0,
  entryCommandsMax: 1_000,
  clientCount: 0,
  thinkMs: 0,
  watchClientCount: 0,
  watchMoveEveryMs: 0,
  fullWireRate: 0,
  keyCount: 1,
  extras: noExtras,
  weights: {
    put: 1,
    range: 0,
    deleteRange: 0,
    txn: 0,
    compact: 0,
    lease: 0,
    hashKv: 0,
    defragment: 0,
  },
}

export class Scene {
  readonly cluster: SimCluster

  private constructor(profile: Partial<MemberProfile>) {
    this.cluster = new SimCluster({
      profile: { ...quiet, ...profile },
      random: new SeededRandom(1),
    })
  }

  /** Everybody is up, and somebody leads. */
  static async open(profile: Partial<MemberProfile> = {}): Promise<Scene> {
    await Promise.resolve()
    const scene = new Scene(profile)
    scene.cluster.start()
    await scene.until(() => scene.members.every(({ api }) => (api?.leader() ?? 0n) !== 0n))
    return scene
  }

  get members(): readonly SimMember[] {
    return this.cluster.members
  }

  get leader(): SimMember {
    return found(this.members.find((member) => member.isLeading))
  }

  /** Somebody who follows. */
  get follower(): SimMember {
    return found(this.members.find((member) => member.isUp && !member.isLeading))
  }

  run(ms: number): Promise<void> {
    const end = this.cluster.scheduler.now + ms
    return this.cluster.runUntil(() => this.cluster.scheduler.now >= end)
  }

  /** Rejects if it does not come to that. */
  async until(isSo: () => boolean): Promise<void> {
    const end = this.cluster.scheduler.now + patienceMs
    await this.cluster.runUntil(() => isSo() || this.cluster.scheduler.now >= end)
    if (!isSo()) throw new Error('It does not come to what the scene waits for')
  }

  /** The answer, or the refusal. */
  async ask(member: SimMember, request: KvRequest): Promise<Answer | KvError> {
    const result = this.begin(member, request)
    await this.until(() => result.value !== undefined)
    return found(result.value)
  }

  /** Asks and does not wait. */
  begin(member: SimMember, request: KvRequest): { value: Answer | KvError | undefined } {
    const result: { value: Answer | KvError | undefined } = { value: undefined }
    this.cluster.clients.ask(member, request, (_, heard) => {
      result.value = heard
    })
    return result
  }

  put(member: SimMember, key: string, options: Partial<PutRequest> = {}): Promise<number> {
    return this.#revisionOf(member, { type: 'put', request: this.putRequest(key, options) })
  }

  putRequest(key: string, options: Partial<PutRequest> = {}): PutRequest {
    return { ...this.cluster.requests.put(), lease: 0n, prevKv: false, key: bytes(key), ...options }
  }

  delete(member: SimMember, key: string): Promise<number> {
    const request = { key: bytes(key), rangeEnd: new Uint8Array(0), prevKv: false }
    return this.#revisionOf(member, { type: 'deleteRange', request })
  }

  compact(member: SimMember, revision: number): Promise<number> {
    return this.#revisionOf(member, { type: 'compact', revision, physical: true })
  }

  async grant(member: SimMember, id: bigint, ttl: number): Promise<void> {
    await this.#revisionOf(member, { type: 'leaseGrant', id, ttl })
  }

  /** The TTL that is answered; undefined: a refusal. */
  async renew(member: SimMember, id: bigint): Promise<number | undefined> {
    const answer = await this.ask(member, { type: 'leaseKeepAlive', id })
    return isAnswer(answer, 'leaseKeepAlive') ? answer.response.ttl : undefined
  }

  /** All keys, or the code of the refusal. */
  async read(
    member: SimMember,
    options: Partial<typeof anyRange> = {},
  ): Promise<number | KvError['code']> {
    const answer = await this.ask(member, { type: 'range', request: { ...anyRange, ...options } })
    if (!isAnswer(answer, 'range')) return refusal(answer)
    return answer.response.count
  }

  /** A watcher of all keys with that prefix. */
  watch(member: SimMember, prefix: string, options: Partial<WatchCreateRequest> = {}): SceneWatch {
    const key = bytes(prefix)
    return new SceneWatch(this.cluster, member, {
      key,
      rangeEnd: prefixEnd(key),
      startRevision: 0,
      progressNotify: false,
      filters: [],
      prevKv: true,
      watchId: 0,
      fragment: false,
      ...options,
    })
  }

  /** Cuts a member off; nobody: everybody is together again. */
  cutOff(...cut: readonly SimMember[]): void {
    const inside = new Set(cut.map(({ id }) => id))
    this.cluster.network.block((from, to) => inside.has(from) !== inside.has(to))
  }

  /** Somebody else leads. */
  async untilNewLeader(old: SimMember): Promise<SimMember> {
    const next = (): SimMember | undefined =>
      this.members.find((member) => member !== old && member.isLeading)
    await this.until(() => next() !== undefined)
    return found(next())
  }

  /** Everything heals, and all members hold the same. */
  finish(): Promise<void> {
    return this.cluster.recover()
  }

  async #revisionOf(member: SimMember, request: KvRequest): Promise<number> {
    const answer = await this.ask(member, request)
    if (answer instanceof Error) throw answer
    return answer.response?.header.revision ?? 0
  }
}

export function isAnswer<Type extends keyof Answers>(
  answer: Answer | KvError,
  type: Type,
): answer is Extract<Answer, { type: Type }> {
  return !(answer instanceof Error) && answer.type === type
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

function refusal(answer: Answer | KvError): KvError['code'] {
  if (answer instanceof Error) return answer.code
  throw new Error(`A ${answer.type} answers`)
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('It is not there')
  return value
}
