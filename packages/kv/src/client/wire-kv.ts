// The Kv interface over any wire: builds requests, reads answers, and says of each call whether it may be repeated.
import { KvError } from '../errors.ts'
import type { KvErrorCode } from '../errors.ts'
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
import * as proto from '../proto/index.ts'
import { ClusterClient, MaintenanceClient } from './admin-client.ts'
import type { Ask } from './admin-client.ts'
import { AuthClient } from './auth-client.ts'
import { Caller } from './caller.ts'
import type { CallerOptions, CallKind } from './caller.ts'
import {
  deleteRequestOf,
  deleteResultOf,
  isReadOnly,
  putRequestOf,
  putResultOf,
  rangeRequestOf,
  rangeResultOf,
  statusOf,
  txnRequestOf,
  txnResultOf,
} from './convert.ts'
import { streamedRanges } from './range-stream.ts'
import { randomLeaseId, TtlPuts } from './put-with-ttl.ts'
import { WatchClient } from './watch-client.ts'
import type { Wire, WireMethod } from './wire.ts'

const noBody: Uint8Array = new Uint8Array(0)
type Endpoint = CallOptions & { endpoint?: string }

export class WireKv implements Kv {
  readonly cluster: KvCluster
  readonly maintenance: KvMaintenance
  readonly auth: KvAuth
  readonly rangeStream: Kv['rangeStream']
  readonly #wire: Wire
  readonly #caller: Caller
  readonly #watches: WatchClient
  readonly #ttlPuts: TtlPuts

  constructor(wire: Wire, options: CallerOptions) {
    this.#wire = wire
    this.rangeStream = streamedRanges(wire)
    this.#caller = new Caller(wire, options)
    this.#watches = new WatchClient(wire)
    this.#ttlPuts = new TtlPuts(this, (key, value, put) => this.#put(key, value, put))
    const ask = askOver(this.#caller)
    this.cluster = new ClusterClient(ask, (call) => this.status(call))
    this.maintenance = new MaintenanceClient(ask)
    this.auth = new AuthClient(ask)
  }

  async get(
    key: Bytes,
    options: CallOptions & { revision?: number; serializable?: boolean } = {},
  ): Promise<KvPair | undefined> {
    return (await this.range({ ...options, key })).pairs[0]
  }

  range(options: RangeOptions): Promise<RangeResult> {
    return this.#ask('safe', 'KV/Range', options, {
      request: () => proto.encodeRangeRequest(rangeRequestOf(options)),
      result: (body) => rangeResultOf(proto.decodeRangeResponse(body)),
    })
  }

  async put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<PutResult> {
    if (options.ttlSeconds !== undefined) return this.#ttlPuts.put(key, value, options)
    return this.#put(key, value, options)
  }

  #put(key: Bytes, value: Bytes, options: PutOptions): Promise<PutResult> {
    return this.#ask(writeKind(options), 'KV/Put', options, {
      request: () => proto.encodePutRequest(putRequestOf(key, value, options)),
      result: (body) => putResultOf(proto.decodePutResponse(body)),
    })
  }

  delete(key: Bytes, options: DeleteOptions = {}): Promise<DeleteResult> {
    return this.#ask(writeKind(options), 'KV/DeleteRange', options, {
      request: () => proto.encodeDeleteRangeRequest(deleteRequestOf(key, options)),
      result: (body) => deleteResultOf(proto.decodeDeleteRangeResponse(body)),
    })
  }

  txn(txn: Txn): Promise<TxnResult> {
    const isSafe = isReadOnly(txn) || txn.repeatable === true
    return this.#ask(isSafe ? 'safe' : 'write', 'KV/Txn', txn, {
      request: () => proto.encodeTxnRequest(txnRequestOf(txn)),
      result: (body) => txnResultOf(proto.decodeTxnResponse(body)),
    })
  }

  /** Repeated until it is answered: what was compacted by an earlier try is compacted. */
  compact(revision: number, options: CallOptions & { physical?: boolean } = {}): Promise<void> {
    const { physical = false } = options
    return this.#askAgain('KV/Compact', options, 'COMPACTED', {
      request: () => proto.encodeCompactionRequest({ revision, physical }),
      result: () => undefined,
      repeated: () => Promise.resolve(),
    })
  }

  watch(options: WatchOptions, handlers: WatchHandlers): Watch {
    return this.#watches.watch(options, handlers)
  }

  /** The id is chosen here, so that a repeated grant finds the first. */
  grantLease(
    ttlSeconds: number,
    options: CallOptions & { id?: bigint } = {},
  ): Promise<{ id: bigint; ttlSeconds: number }> {
    const id = options.id ?? randomLeaseId()
    return this.#askAgain('Lease/LeaseGrant', options, 'LEASE_EXISTS', {
      request: () => proto.encodeLeaseGrantRequest({ ttl: ttlSeconds, id }),
      result: (body) => {
        const granted = proto.decodeLeaseGrantResponse(body)
        return { id: granted.id, ttlSeconds: granted.ttl }
      },
      repeated: async () => {
        const { grantedTtlSeconds } = await this.leaseTimeToLive(id, options)
        return { id, ttlSeconds: grantedTtlSeconds }
      },
    })
  }

  revokeLease(id: bigint, options: CallOptions = {}): Promise<void> {
    return this.#askAgain('Lease/LeaseRevoke', options, 'LEASE_NOT_FOUND', {
      request: () => proto.encodeLeaseRevokeRequest({ id }),
      result: () => undefined,
      repeated: () => Promise.resolve(),
    })
  }

  keepAliveLease(id: bigint, options: CallOptions = {}): Promise<number> {
    return this.#ask('safe', 'Lease/LeaseKeepAlive', options, {
      request: () => proto.encodeLeaseKeepAliveRequest({ id }),
      result: (body) => proto.decodeLeaseKeepAliveResponse(body).ttl,
    })
  }

  leaseTimeToLive(
    id: bigint,
    options: CallOptions & { keys?: boolean } = {},
  ): Promise<{ ttlSeconds: number; grantedTtlSeconds: number; keys: readonly Uint8Array[] }> {
    return this.#ask('safe', 'Lease/LeaseTimeToLive', options, {
      request: () => proto.encodeLeaseTimeToLiveRequest({ id, keys: options.keys ?? false }),
      result: (body) => {
        const { ttl, grantedTtl, keys } = proto.decodeLeaseTimeToLiveResponse(body)
        return { ttlSeconds: ttl, grantedTtlSeconds: grantedTtl, keys }
      },
    })
  }

  leases(options: CallOptions = {}): Promise<readonly bigint[]> {
    return this.#ask('safe', 'Lease/LeaseLeases', options, {
      request: () => noBody,
      result: (body) => proto.decodeLeaseLeasesResponse(body).leases,
    })
  }

  members(options: CallOptions = {}): Promise<readonly KvMember[]> {
    return this.cluster.members(options)
  }

  status(options: Endpoint = {}): Promise<KvStatus> {
    return this.#ask('safe', 'Maintenance/Status', options, {
      request: () => noBody,
      result: (body) => statusOf(proto.decodeStatusResponse(body)),
    })
  }

  hashKv(
    options: Endpoint & { revision?: number } = {},
  ): Promise<{ hash: number; compactRevision: number; revision: number }> {
    return this.#ask('safe', 'Maintenance/HashKV', options, {
      request: () => proto.encodeHashKvRequest({ revision: options.revision ?? 0 }),
      result: (body) => {
        const { header, hash, compactRevision, hashRevision } = proto.decodeHashKvResponse(body)
        // Servers older than 3.6 leave hashRevision out: it is the revision asked for, or the current one.
        const revision = hashRevision || options.revision || header.revision
        return { hash, compactRevision, revision }
      },
    })
  }

  async close(): Promise<void> {
    this.#watches.close()
    this.#caller.close()
    await this.#wire.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask<Result>(
    kind: CallKind,
    method: WireMethod,
    options: Endpoint & { readonly onRepeat?: () => void },
    codec: AnswerCodec<Result>,
  ): Promise<Result> {
    const body = await this.#caller.call(kind, method, codec.request(), options)
    try {
      return codec.result(body)
    } catch (reason) {
      throw KvError.from(reason)
    }
  }

  /** For a write that says `doneCode` when it was done before: after a try whose answer was lost, that is success. */
  async #askAgain<Result>(
    method: WireMethod,
    options: Endpoint,
    doneCode: KvErrorCode,
    codec: AnswerCodec<Result> & { repeated: () => Promise<Result> },
  ): Promise<Result> {
    let isRepeated = false
    const onRepeat = (): void => void (isRepeated = true)
    try {
      return await this.#ask('safe', method, { ...options, onRepeat }, codec)
    } catch (reason) {
      const wasDone = isRepeated && reason instanceof KvError && reason.code === doneCode
      if (!wasDone) throw reason
    }
    return codec.repeated()
  }
}

/** What is not about keys, over a wire. */
export function askOver(caller: Caller): Ask {
  return (method, body, call, isSafe) => caller.call(isSafe ? 'safe' : 'write', method, body, call)
}

interface AnswerCodec<Result> {
  readonly request: () => Uint8Array
  readonly result: (body: Uint8Array) => Result
}

function writeKind(options: PutOptions | DeleteOptions): CallKind {
  if (options.repeatable === true) return 'safe'
  return options.prevKv === true ? 'write' : 'repeatable'
}
