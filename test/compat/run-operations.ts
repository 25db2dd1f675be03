// Does the same to both servers, one operation after another, and stops at the first difference. What only reads runs at the same time as other reads.
import { isDeepStrictEqual } from 'node:util'
import { masked } from './mask.ts'
import { messageOf, type Json, type Operation } from './operation.ts'
import { methodOf } from './rpc-types.ts'
import type { Reply, Server } from './server.ts'
import { isForRights, isGuarded, isWiderWatch } from './stricter.ts'

export interface Difference {
  /** Of the operation at which it was seen; what caused it may be older. */
  readonly index: number
  readonly operation: Operation
  /** By name of the server. */
  readonly seen: Readonly<Record<string, unknown>>
}

type Call = Extract<Operation, { type: 'call' }>

const readMethods = new Set(['KV/Range', 'Lease/LeaseTimeToLive', 'Lease/LeaseLeases'])
const readsAtOnceMax = 16
const watchesOfStreamMax = 6
const answerTimeoutMs = 5_000
const settleTimeoutMs = 8_000
const pollMs = 10
/** etcd looks after watches that begin in the past every 100 ms. */
const catchUpMs = 250

export class Run {
  readonly #servers: readonly [Server, Server]
  readonly #watches = new Map<number, number[]>()
  #revision = 1
  #hasOldWatch = false
  #reads: { readonly index: number; readonly call: Call }[] = []
  /** Operations done, for a line of progress. */
  done = 0

  constructor(servers: readonly [Server, Server]) {
    this.#servers = servers
  }

  /** The first difference; undefined if there is none. */
  async all(operations: Iterable<Operation>): Promise<Difference | undefined> {
    let index = 0
    for (const operation of operations) {
      const difference = await this.#next(index++, operation)
      if (difference !== undefined) return difference
      this.done = index
    }
    return this.#flushReads()
  }

  async #next(index: number, operation: Operation): Promise<Difference | undefined> {
    if (operation.type === 'call' && readMethods.has(operation.method)) {
      this.#reads.push({ index, call: operation })
      return this.#reads.length < readsAtOnceMax ? undefined : this.#flushReads()
    }
    const before = await this.#flushReads()
    if (before !== undefined) return before
    if (operation.type === 'call') return this.#call(index, operation)
    const seen = await this.#watchOrSettle(operation)
    return seen === undefined ? undefined : { index, operation, seen }
  }

  async #flushReads(): Promise<Difference | undefined> {
    const reads = this.#reads
    if (reads.length === 0) return undefined
    this.#reads = []
    const found = await Promise.all(reads.map(({ index, call }) => this.#call(index, call)))
    return found.find((difference) => difference !== undefined)
  }

  async #call(index: number, call: Call): Promise<Difference | undefined> {
    const { method, body } = call
    // What is compacted is no longer told to a watch that is still catching up.
    if (method === 'KV/Compact') {
      const seen = await this.#settleWatches()
      if (seen !== undefined) return { index, operation: call, seen }
    }
    const { requestSerialize, responseDeserialize } = methodOf(method)
    const request = requestSerialize(messageOf(body, this.#revision))
    const replies = await this.#replies(call, request)
    if (replies === undefined) return undefined
    const [theirs, ours] = replies
    const isEqual =
      theirs.code === ours.code &&
      theirs.text === ours.text &&
      masked(method, theirs.body).equals(masked(method, ours.body))
    if (!isEqual) {
      const show = ({ code, text, body: bytes }: Reply): unknown =>
        code === 0 ? responseDeserialize(bytes) : { code, text }
      return { index, operation: call, seen: this.#named(show(theirs), show(ours)) }
    }
    if (theirs.code === 0 && !readMethods.has(method)) {
      const reply = responseDeserialize(theirs.body)
      const revision = Number((reply['header'] as Json | undefined)?.['revision'] ?? 0)
      this.#revision = Math.max(this.#revision, revision)
    }
    if (method === 'Auth/AuthDisable' && ours.code === 0) {
      for (const server of this.#servers) server.loggedOut()
    }
    if (method === 'Auth/Authenticate') this.#loggedIn(String(body['name']), [theirs, ours])
    return undefined
  }

  /** Undefined: Balsa asks for more rights than etcd, which was left alone then. */
  async #replies(call: Call, request: Buffer): Promise<readonly [Reply, Reply] | undefined> {
    const { method, as } = call
    if (!isGuarded(call)) return this.#both((server) => server.call(method, request, as))
    const [etcd, balsa] = this.#servers
    const ours = await balsa.call(method, request, as)
    return isForRights(ours) ? undefined : [await etcd.call(method, request, as), ours]
  }

  #loggedIn(user: string, replies: readonly [Reply, Reply]): void {
    const { responseDeserialize } = methodOf('Auth/Authenticate')
    for (const [i, { code, body }] of replies.entries()) {
      this.#servers[i]?.loggedIn(user, code === 0 ? responseDeserialize(body) : undefined)
    }
  }

  async #watchOrSettle(
    operation: Exclude<Operation, Call>,
  ): Promise<Difference['seen'] | undefined> {
    if (operation.type === 'settle') return this.#settle()
    if (operation.type === 'watch') return this.#watch(operation)
    const seen = await this.#settleWatches()
    if (seen !== undefined) return seen
    const { stream } = operation
    const alive = this.#watches.get(stream) ?? []
    if (alive.length === 0) return undefined
    if (operation.type === 'progress') {
      return this.#ask(stream, { progress_request: {} }, 'progress')
    }
    const [id] = alive.splice(operation.nth % alive.length, 1)
    return this.#ask(stream, { cancel_request: { watch_id: id } }, 'canceled')
  }

  async #watch(
    operation: Extract<Operation, { type: 'watch' }>,
  ): Promise<Difference['seen'] | undefined> {
    if (isWiderWatch(operation)) return undefined
    const { stream, body, as } = operation
    const alive = this.#watches.get(stream) ?? []
    this.#watches.set(stream, alive)
    if (alive.length >= watchesOfStreamMax) {
      const oldest = alive.shift()
      await this.#ask(stream, { cancel_request: { watch_id: oldest } }, 'canceled')
    }
    this.#hasOldWatch ||= body['start_revision'] !== undefined
    const seen = await this.#ask(
      stream,
      { create_request: messageOf(body, this.#revision) },
      'created',
      as,
    )
    const id = this.#servers[0].tape(stream, as).newestId
    if (id >= 0 && !alive.includes(id)) alive.push(id)
    return seen
  }

  async #ask(
    stream: number,
    request: Json,
    answer: 'created' | 'canceled' | 'progress',
    as?: string,
  ): Promise<Difference['seen'] | undefined> {
    const tapes = this.#servers.map((server) => server.tape(stream, as))
    // A watch that is gone already is not canceled again.
    const timeoutMs = answer === 'created' ? answerTimeoutMs : answerTimeoutMs / 10
    const answered = await Promise.all(tapes.map((tape) => tape.ask(request, answer, timeoutMs)))
    const [theirs, ours] = answered
    return theirs === ours ? undefined : this.#named({ [answer]: theirs }, { [answer]: ours })
  }

  /** Watchers, and what the stores hold. */
  async #settle(): Promise<Difference['seen'] | undefined> {
    const seen = await this.#settleWatches()
    if (seen !== undefined) return seen
    const hash: Call = { type: 'call', method: 'Maintenance/HashKV', body: {}, as: 'root' }
    return (await this.#call(0, hash))?.seen
  }

  /** Waits until both have told their watchers the same. */
  async #settleWatches(): Promise<Difference['seen'] | undefined> {
    if (this.#hasOldWatch) await new Promise((resolve) => setTimeout(resolve, catchUpMs))
    this.#hasOldWatch = false
    const deadline = performance.now() + settleTimeoutMs
    let equalTimes = 0
    while (equalTimes < 2) {
      equalTimes = isDeepStrictEqual(this.#told(0), this.#told(1)) ? equalTimes + 1 : 0
      if (equalTimes === 0 && performance.now() > deadline) return this.#watchDifference()
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
    for (const { tapes } of this.#servers) for (const tape of tapes) tape?.clear()
    return undefined
  }

  #told(server: 0 | 1): readonly unknown[] {
    return this.#servers[server].tapes.map((tape) => tape?.lines)
  }

  #watchDifference(): Difference['seen'] {
    for (const [stream, tape] of this.#servers[0].tapes.entries()) {
      const other = this.#servers[1].tapes[stream]
      const ids = new Set([...(tape?.lines.keys() ?? []), ...(other?.lines.keys() ?? [])])
      for (const id of ids) {
        const lines = [tape, other].map((each) => each?.lines.get(id) ?? [])
        if (isDeepStrictEqual(lines[0], lines[1])) continue
        const from = lines[0]?.findIndex((line, i) => line !== lines[1]?.[i]) ?? 0
        const at = from < 0 ? (lines[0]?.length ?? 0) : from
        const show = (all: readonly string[] | undefined): unknown => ({
          stream,
          watch: id,
          line: at,
          told: all?.slice(at, at + 5),
        })
        return this.#named(show(lines[0]), show(lines[1]))
      }
    }
    return this.#named('equal now', 'equal now')
  }

  async #both<T>(action: (server: Server) => Promise<T>): Promise<readonly [T, T]> {
    const [first, second] = this.#servers
    return Promise.all([action(first), action(second)])
  }

  #named(theirs: unknown, ours: unknown): Difference['seen'] {
    return { [this.#servers[0].name]: theirs, [this.#servers[1].name]: ours }
  }
}
