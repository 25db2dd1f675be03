// Does the same to both servers, one operation after another, and stops at the first difference. What only reads runs at the same time as other reads.
import type { Reply } from './grpc-session.ts'
import { isSameReply } from './mask.ts'
import { isRead, messageOf, type Json, type Operation } from './operation.ts'
import { methodOf } from './rpc-types.ts'
import { RoleSizes } from './role-sizes.ts'
import type { Server } from './server.ts'
import { isForRights, isGuarded } from './stricter.ts'
import { markKey, WatchRun, type Seen } from './watch-run.ts'
import { headerRevision } from './wire-fields.ts'

export interface Difference {
  /** Of the operation at which it was seen; what caused it may be older. */
  readonly index: number
  readonly operation: Operation
  /** By name of the server. */
  readonly seen: Seen
}

type Call = Extract<Operation, { type: 'call' }>

const readsAtOnceMax = 32
/** OutOfRange: what etcd says of a revision that is compacted already. */
const compactedCode = 11
/** After the end nothing more may be told. */
const quietMs = 300
const mark: Call = { type: 'call', method: 'KV/Put', body: { key: markKey }, as: 'root' }
const hash: Call = { type: 'call', method: 'Maintenance/HashKV', body: {}, as: 'root' }

export class Run {
  readonly #servers: readonly [Server, Server]
  readonly #watches: WatchRun
  readonly #roles = new RoleSizes()
  #revision = 1
  #compactRevision = 0
  /** etcd may still be at it. */
  #isCompacting = false
  #reads: { readonly index: number; readonly call: Call }[] = []
  #markDifference: Seen | undefined
  /** Operations done, for a line of progress. */
  done = 0
  /** Requests that both did. */
  granted = 0
  /** How often a request was left out for etcd because Balsa refused it on purpose. */
  refused = 0

  constructor(servers: readonly [Server, Server]) {
    this.#servers = servers
    this.#watches = new WatchRun(servers, () => this.#putMark())
  }

  /** The first difference; undefined if there is none. */
  async all(operations: Iterable<Operation>): Promise<Difference | undefined> {
    let index = 0
    let last: Operation = { type: 'settle' }
    for (const operation of operations) {
      last = operation
      const difference = await this.#next(index++, operation)
      if (difference !== undefined) return difference
      this.done = index
    }
    const difference = await this.#flushReads()
    if (difference !== undefined) return difference
    await new Promise((resolve) => setTimeout(resolve, quietMs))
    const seen = this.#watches.difference()
    return seen === undefined ? undefined : { index: index - 1, operation: last, seen }
  }

  async #next(index: number, operation: Operation): Promise<Difference | undefined> {
    if (isRead(operation)) {
      this.#reads.push({ index, call: operation })
      return this.#reads.length < readsAtOnceMax ? undefined : this.#flushReads()
    }
    const before = await this.#flushReads()
    if (before !== undefined) return before
    const seen = await this.#do(operation)
    const found = seen ?? this.#markDifference
    return found === undefined ? undefined : { index, operation, seen: found }
  }

  async #flushReads(): Promise<Difference | undefined> {
    const reads = this.#reads
    if (reads.length === 0) return undefined
    this.#reads = []
    if (reads.some(({ call }) => call.method === hash.method)) await this.#compacted()
    const found = await Promise.all(reads.map(({ call }) => this.#call(call)))
    for (const [i, seen] of found.entries()) {
      const read = reads[i]
      if (seen !== undefined && read !== undefined) {
        return { index: read.index, operation: read.call, seen }
      }
    }
    return undefined
  }

  async #do(operation: Operation): Promise<Seen | undefined> {
    switch (operation.type) {
      case 'call':
        // What is compacted is no longer told to a watch that is still catching up.
        if (operation.method === 'KV/Compact') {
          const seen = await this.#watches.settle()
          if (seen !== undefined) return seen
        }
        // An alarm can stop the way in which it is asked for.
        if (operation.method === 'Maintenance/Alarm') await this.#compacted()
        if (this.#roles.isFull(operation)) return undefined
        return this.#call(operation)
      case 'watch':
        return this.#watches.watch(operation, this.#revision, this.#compactRevision)
      case 'cancel':
        return this.#watches.cancel(operation)
      case 'progress':
        return this.#watches.progress(operation.stream)
      case 'close':
        return this.#watches.close(operation.stream)
      case 'settle': {
        const seen = await this.#watches.settle()
        await this.#compacted()
        return seen ?? this.#call(hash)
      }
    }
  }

  /** Waits until etcd's compaction is done: to ask for one that was made already does just that. */
  async #compacted(): Promise<void> {
    if (!this.#isCompacting) return
    this.#isCompacting = false
    const { requestSerialize } = methodOf('KV/Compact')
    const again = requestSerialize({ revision: this.#compactRevision, physical: true })
    const { code, text } = await this.#servers[0].call('KV/Compact', again, undefined)
    if (code !== compactedCode) throw new Error(`etcd does not wait for its compaction: ${text}`)
  }

  async #putMark(): Promise<number | undefined> {
    const before = this.#revision
    this.#markDifference ??= await this.#call(mark)
    return this.#revision > before ? this.#revision : undefined
  }

  async #call(call: Call): Promise<Seen | undefined> {
    const { method, body } = call
    const { requestSerialize, responseDeserialize } = methodOf(method)
    const message = messageOf(body, this.#revision)
    const request = requestSerialize(message)
    const replies = await this.#replies(call, request)
    if (replies === undefined) return undefined
    const [theirs, ours] = replies
    const isEqual =
      theirs.code === ours.code &&
      theirs.text === ours.text &&
      isSameReply(method, theirs.body, ours.body)
    if (!isEqual) {
      const show = ({ code, text, body: bytes }: Reply): unknown =>
        code === 0 ? responseDeserialize(bytes) : { code, text }
      return { [this.#servers[0].name]: show(theirs), [this.#servers[1].name]: show(ours) }
    }
    if (theirs.code === 0) {
      this.granted++
      this.#revision = Math.max(this.#revision, headerRevision(theirs.body))
      this.#roles.changed(call)
      if (method === 'KV/Compact') {
        this.#compactRevision = Number(message['revision'])
        this.#isCompacting = message['physical'] !== true
      }
    }
    if (method === 'Auth/AuthDisable' && ours.code === 0) {
      for (const server of this.#servers) server.loggedOut()
      return this.#watches.close()
    }
    if (method === 'Auth/Authenticate') this.#loggedIn(String(body['name']), [theirs, ours])
    return undefined
  }

  /** Undefined: Balsa asks for more rights than etcd, which was left alone then. */
  async #replies(call: Call, request: Buffer): Promise<readonly [Reply, Reply] | undefined> {
    const { method, as } = call
    const [etcd, balsa] = this.#servers
    if (!isGuarded(call)) {
      return Promise.all([etcd.call(method, request, as), balsa.call(method, request, as)])
    }
    const ours = await balsa.call(method, request, as)
    if (!isForRights(ours)) return [await etcd.call(method, request, as), ours]
    this.refused++
    return undefined
  }

  #loggedIn(user: string, replies: readonly [Reply, Reply]): void {
    const { responseDeserialize } = methodOf('Auth/Authenticate')
    for (const [i, { code, body }] of replies.entries()) {
      const reply: Json | undefined = code === 0 ? responseDeserialize(body) : undefined
      this.#servers[i]?.loggedIn(user, reply)
    }
  }
}
