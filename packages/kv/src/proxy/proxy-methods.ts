// What the gRPC proxy serves: etcd's services, handed to the members as they come, but for what it answers itself, merges or keeps.
import { hostname } from 'node:os'
import { KvError } from '../errors.ts'
import {
  decodeDeleteRangeRequest,
  decodeLeaseTimeToLiveResponse,
  decodePutRequest,
  decodeRangeRequest,
  encodeLeaseTimeToLiveResponse,
  encodeMemberListResponse,
} from '../proto/index.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { methods } from '../api/services/index.ts'
import type {
  Method,
  Reply,
  ReplyStream,
  RequestStream,
  Served,
  StreamMethod,
  UnaryMethod,
} from '../api/services/index.ts'
import type { Namespace } from './namespace.ts'
import { ProxyWatches } from './proxy-watches.ts'
import { RangeCache } from './range-cache.ts'
import { SharedKeepAlives } from './shared-keep-alives.ts'
import type { Upstream } from './upstream.ts'

/** Who calls: the token goes on to the members. */
export interface ProxyCaller extends Served<ProxyCaller> {
  readonly token: string
}

export function proxyCaller(token: string): ProxyCaller {
  return {
    token,
    as: (credentials) => proxyCaller(credentials.token ?? ''),
    // Whether there is a leader the members know better.
    leader: () => 1n,
  }
}

export interface ProxyServiceOptions {
  readonly upstream: Upstream
  /** Undefined: clients see all keys. */
  readonly namespace: Namespace | undefined
  /** Where clients are told to go; undefined: they are told of the members. */
  readonly advertised: string | undefined
  /** Other proxies that registered; undefined if none is looked for. */
  readonly proxies: (() => Promise<readonly MemberRecord[]>) | undefined
}

const kv = (name: string): string => `/etcdserverpb.KV/${name}`
const noBytes = new Uint8Array(0)

export class ProxyService {
  readonly cache: RangeCache = new RangeCache()
  readonly watches: ProxyWatches
  readonly methods: readonly Method<ProxyCaller>[]
  readonly #options: ProxyServiceOptions
  /** By token. */
  readonly #keepAlives = new Map<string, SharedKeepAlives>()

  constructor(options: ProxyServiceOptions) {
    this.#options = options
    this.watches = new ProxyWatches(options.upstream, options.namespace)
    this.methods = methods.map((method): Method<ProxyCaller> => {
      const names = { ...method }
      if (method.kind === 'unary') {
        return { ...names, kind: 'unary', call: this.#unaryOf(method.path) }
      }
      return { ...names, kind: 'stream', open: this.#streamOf(method.path) }
    })
  }

  get keepAlivesSentCount(): number {
    let count = 0
    for (const each of this.#keepAlives.values()) count += each.sentCount
    return count
  }

  close(): void {
    this.watches.close()
    for (const each of this.#keepAlives.values()) each.close()
  }

  #unaryOf(path: string): UnaryMethod<ProxyCaller>['call'] {
    if (path === kv('Range')) return (caller, body, reply) => this.#range(caller, body, reply)
    if (path === '/etcdserverpb.Cluster/MemberList' && this.#options.advertised !== undefined) {
      return (_caller, _body, reply) => this.#memberList(reply)
    }
    const forget = this.#forgetOf(path)
    return (caller, body, reply) => {
      const { request, response } = this.#translation(path)
      const asked = request(body)
      return this.#options.upstream.unary(path, asked, caller.token, (error, answer) => {
        // Also when it failed: it may have been applied.
        forget(asked)
        if (answer === undefined) reply(error ?? new KvError('INTERNAL'), undefined)
        else reply(undefined, response(answer))
      })
    }
  }

  /** What a write makes untrue is forgotten before its writer hears of it. */
  #forgetOf(path: string): (body: Uint8Array) => void {
    const { cache } = this
    if (path === kv('Put')) return (body) => cache.wrote(decodePutRequest(body).key, noBytes)
    if (path === kv('Txn')) return (body) => cache.wroteTxn(body)
    if (path === kv('DeleteRange')) {
      return (body) => {
        const { key, rangeEnd } = decodeDeleteRangeRequest(body)
        cache.wrote(key, rangeEnd)
      }
    }
    // Keys go with a lease, rights change, history is cut off.
    const forgetsAll = path === kv('Compact') || /LeaseRevoke$|Auth\//.test(path)
    return forgetsAll ? () => cache.clear() : () => undefined
  }

  #range(caller: ProxyCaller, body: Uint8Array, reply: Reply): (() => void) | void {
    const path = kv('Range')
    const { request, response } = this.#translation(path)
    const asked = request(body)
    const range = decodeRangeRequest(asked)
    const kept = range.serializable ? this.cache.get(caller.token, range) : undefined
    if (kept !== undefined) {
      reply(undefined, response(kept))
      return undefined
    }
    return this.#options.upstream.unary(path, asked, caller.token, (error, answer) => {
      if (answer === undefined) reply(error ?? new KvError('INTERNAL'), undefined)
      else {
        this.cache.add(caller.token, range, answer)
        reply(undefined, response(answer))
      }
    })
  }

  #translation(path: string): {
    readonly request: (body: Uint8Array) => Uint8Array
    readonly response: (body: Uint8Array) => Uint8Array
  } {
    const asIs = (body: Uint8Array): Uint8Array => body
    const { namespace } = this.#options
    if (namespace !== undefined && path === '/etcdserverpb.Lease/LeaseTimeToLive') {
      const response = (body: Uint8Array): Uint8Array => {
        const answer = decodeLeaseTimeToLiveResponse(body)
        const keys = answer.keys.map((key) => namespace.strip(key))
        return encodeLeaseTimeToLiveResponse({ ...answer, keys })
      }
      return { request: asIs, response }
    }
    return namespace?.translations.get(path) ?? { request: asIs, response: asIs }
  }

  #memberList(reply: Reply): void {
    const { advertised = '', proxies } = this.#options
    const alone: MemberRecord = {
      id: 0n,
      name: hostname(),
      peerUrls: [],
      clientUrls: [advertised],
      isLearner: false,
    }
    const header = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 }
    const answer = (members: readonly MemberRecord[]): void => {
      const list = members.length === 0 ? [alone] : members
      reply(undefined, encodeMemberListResponse({ header, members: list }))
    }
    if (proxies === undefined) answer([])
    else proxies().then(answer, (reason: unknown) => reply(KvError.from(reason), undefined))
  }

  #streamOf(path: string): StreamMethod<ProxyCaller>['open'] {
    if (path === '/etcdserverpb.Watch/Watch') {
      return (caller, out) => this.watches.open(out, caller.token)
    }
    if (path === '/etcdserverpb.Lease/LeaseKeepAlive') {
      return (caller, out) => this.#keepAlivesOf(caller.token).open(out)
    }
    if (path === kv('RangeStream') && this.#options.namespace !== undefined) {
      const message = 'RangeStream has no namespace here'
      return () => {
        throw new KvError('UNIMPLEMENTED', { message })
      }
    }
    return (caller, out) => this.#passStream(path, caller, out)
  }

  #keepAlivesOf(token: string): SharedKeepAlives {
    const known = this.#keepAlives.get(token)
    if (known !== undefined) return known
    const made = new SharedKeepAlives(this.#options.upstream, token)
    this.#keepAlives.set(token, made)
    return made
  }

  #passStream(path: string, caller: ProxyCaller, out: ReplyStream): RequestStream {
    const stream = this.#options.upstream.stream(path, caller.token, {
      message: (body) => {
        if (!out.send(body)) stream.pause()
      },
      ended: (error) => out.end(error),
    })
    return {
      message: (body) => stream.write(body),
      halfClosed: () => stream.end(),
      writable: () => stream.resume(),
      closed: () => stream.cancel(),
    }
  }
}
