// The Kv interface on a member in this process: the same calls as over a wire, without one.
import { watchUntil } from '../client/abortable-watch.ts'
import { ClusterClient, MaintenanceClient } from '../client/admin-client.ts'
import { AuthClient } from '../client/auth-client.ts'
import {
  bytesOf,
  deleteRequestOf,
  deleteResultOf,
  eventOf,
  putRequestOf,
  putResultOf,
  rangeRequestOf,
  rangeResultOf,
  statusOf,
  txnRequestOf,
  txnResultOf,
  watchRequestOf,
} from '../client/convert.ts'
import { withOwnLease } from '../client/put-with-ttl.ts'
import { KvError } from '../errors.ts'
import type {
  Bytes,
  CallOptions,
  DeleteOptions,
  DeleteResult,
  Kv,
  KvAuth,
  KvCluster,
  KvMaintenance,
  KvMember,
  KvPair,
  KvStatus,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  Txn,
  TxnResult,
  Watch,
  WatchHandlers,
  WatchOptions,
} from '../kv.ts'
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodeLeaseGrantRequest,
  encodeLeaseRevokeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from '../proto/index.ts'
import type {
  DeleteRangeResponse,
  HashKvResponse,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseTimeToLiveResponse,
  PutResponse,
  WatchResponse,
} from '../proto/messages.ts'
import { askMember } from './embedded-admin.ts'
import type { Done, MemberApi, WatchStream } from './types.ts'

export class EmbeddedKv implements Kv {
  readonly cluster: KvCluster
  readonly maintenance: KvMaintenance
  readonly auth: KvAuth
  readonly #member: MemberApi
  readonly #watches = new Set<EmbeddedWatch>()

  constructor(member: MemberApi) {
    this.#member = member
    const ask = askMember(member)
    this.cluster = new ClusterClient(ask, () => this.status())
    this.maintenance = new MaintenanceClient(ask)
    this.auth = new AuthClient(ask)
  }

  async get(
    key: Bytes,
    options: CallOptions & { revision?: number; serializable?: boolean } = {},
  ): Promise<KvPair | undefined> {
    const { pairs } = await this.range({ ...options, key })
    return pairs[0]
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const body = encodeRangeRequest(rangeRequestOf(options))
    return rangeResultOf(await call(options, (done) => this.#member.range(body, done)))
  }

  async put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<PutResult> {
    const put = options.ttlSeconds === undefined ? options : withOwnLease(options)
    const body = encodePutRequest(putRequestOf(key, value, put))
    return putResultOf(await call<PutResponse>(options, (done) => this.#member.put(body, done)))
  }

  async delete(key: Bytes, options: DeleteOptions = {}): Promise<DeleteResult> {
    const body = encodeDeleteRangeRequest(deleteRequestOf(key, options))
    const response = await call<DeleteRangeResponse>(options, (done) =>
      this.#member.deleteRange(body, done),
    )
    return deleteResultOf(response)
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const body = encodeTxnRequest(txnRequestOf(txn))
    return txnResultOf(await call(txn, (done) => this.#member.txn(body, done)))
  }

  async compact(
    revision: number,
    options: CallOptions & { physical?: boolean } = {},
  ): Promise<void> {
    const { physical = false } = options
    const body = encodeCompactionRequest({ revision, physical })
    await call(options, (done) => this.#member.compact(body, done))
  }

  watch(options: WatchOptions, handlers: WatchHandlers): Watch {
    return watchUntil(options.signal, handlers, (told) => {
      const watch = new EmbeddedWatch(this.#member, options, told, () =>
        this.#watches.delete(watch),
      )
      this.#watches.add(watch)
      return watch
    })
  }

  async grantLease(
    ttlSeconds: number,
    options: CallOptions & { id?: bigint } = {},
  ): Promise<{ id: bigint; ttlSeconds: number }> {
    const body = encodeLeaseGrantRequest({ ttl: ttlSeconds, id: options.id ?? 0n })
    const { id, ttl } = await call<LeaseGrantResponse>(options, (done) =>
      this.#member.leaseGrant(body, done),
    )
    return { id, ttlSeconds: ttl }
  }

  async revokeLease(id: bigint, options: CallOptions = {}): Promise<void> {
    const body = encodeLeaseRevokeRequest({ id })
    await call(options, (done) => this.#member.leaseRevoke(body, done))
  }

  async keepAliveLease(id: bigint, options: CallOptions = {}): Promise<number> {
    const { ttl } = await call<LeaseKeepAliveResponse>(options, (done) =>
      this.#member.leaseKeepAlive(id, done),
    )
    return ttl
  }

  async leaseTimeToLive(
    id: bigint,
    options: CallOptions & { keys?: boolean } = {},
  ): Promise<{ ttlSeconds: number; grantedTtlSeconds: number; keys: readonly Uint8Array[] }> {
    const { ttl, grantedTtl, keys } = await call<LeaseTimeToLiveResponse>(options, (done) =>
      this.#member.leaseTimeToLive(id, options.keys ?? false, done),
    )
    return { ttlSeconds: ttl, grantedTtlSeconds: grantedTtl, keys }
  }

  async leases(options: CallOptions = {}): Promise<readonly bigint[]> {
    const { leases } = await call<LeaseLeasesResponse>(options, (done) =>
      this.#member.leaseLeases(done),
    )
    return leases
  }

  members(options: CallOptions = {}): Promise<readonly KvMember[]> {
    return this.cluster.members(options)
  }

  status(): Promise<KvStatus> {
    return Promise.resolve(statusOf(this.#member.status()))
  }

  async hashKv(
    options: CallOptions & { revision?: number } = {},
  ): Promise<{ hash: number; compactRevision: number; revision: number }> {
    const { hash, compactRevision, hashRevision } = await call<HashKvResponse>(options, (done) =>
      this.#member.hashKv(options.revision ?? 0, done),
    )
    return { hash, compactRevision, revision: hashRevision }
  }

  /** Ends the watches; the member goes on. */
  close(): Promise<void> {
    for (const watch of this.#watches) watch.close()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class EmbeddedWatch implements Watch {
  readonly #stream: WatchStream
  readonly #handlers: WatchHandlers
  readonly #onEnd: () => void
  #isEnded = false

  constructor(
    member: MemberApi,
    options: WatchOptions,
    handlers: WatchHandlers,
    onEnd: () => void,
  ) {
    this.#handlers = handlers
    this.#onEnd = onEnd
    this.#stream = member.openWatchStream({
      send: (response) => {
        // Handlers are the caller's code: they run outside of the member's, and what they throw is the caller's to see.
        queueMicrotask(() => this.#receive(response))
        return true
      },
    })
    const request = watchRequestOf(options)
    this.#stream.create({ ...request, key: bytesOf(request.key) })
  }

  close(): void {
    this.#end(undefined)
  }

  requestProgress(): void {
    if (!this.#isEnded) this.#stream.requestProgress()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  #receive(response: WatchResponse): void {
    if (this.#isEnded) return
    const { revision } = response.header
    if (response.canceled) this.#end(endOf(response))
    else if (response.created) this.#handlers.created?.(revision)
    else this.#handlers.batch({ events: response.events.map(eventOf), revision })
  }

  #end(error: KvError | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#stream.close()
    this.#onEnd()
    this.#handlers.ended?.(error)
  }
}

function endOf(response: WatchResponse): KvError {
  const { compactRevision, cancelReason } = response
  if (compactRevision > 0) return new KvError('COMPACTED', { compactRevision })
  const message = cancelReason === '' ? {} : { message: cancelReason }
  return new KvError('WATCH_CANCELED', message)
}

/** A callback call as a promise that `signal` can give up. */
function call<T>(options: CallOptions, start: (done: Done<T>) => void): Promise<T> {
  const { signal } = options
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new KvError('ABORTED', { cause: signal.reason }))
      return
    }
    const abort = (): void => reject(new KvError('ABORTED', { cause: signal?.reason }))
    signal?.addEventListener('abort', abort, { once: true })
    start((error, result) => {
      signal?.removeEventListener('abort', abort)
      if (error !== undefined) reject(error)
      else resolve(result as T)
    })
  })
}
