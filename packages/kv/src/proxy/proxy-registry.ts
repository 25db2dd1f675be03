// How proxies of one prefix know each other: each keeps a key with its address on a lease, in the form of etcd's name resolver.
import { hostname } from 'node:os'
import { KvError } from '../errors.ts'
import { prefixEnd } from '../mvcc/key-range.ts'
import {
  decodeKeyValue,
  decodeLeaseGrantResponse,
  decodeLeaseKeepAliveResponse,
  decodeRangeResponse,
  encodeLeaseGrantRequest,
  encodeLeaseKeepAliveRequest,
  encodeLeaseRevokeRequest,
  encodePutRequest,
  encodeRangeRequest,
} from '../proto/index.ts'
import type { MemberRecord } from '../proto/messages.ts'
import type { Upstream, UpstreamStream } from './upstream.ts'

const retryDelayMs = 1000
const closeTimeoutMs = 1000

export interface ProxyRegistryOptions {
  readonly prefix: string
  readonly ttlSeconds: number
  /** Of this proxy, as its clients reach it. */
  readonly address: string
  readonly onWarning: ((message: string) => void) | undefined
}

export class ProxyRegistry {
  readonly #upstream: Upstream
  readonly #options: ProxyRegistryOptions
  #lease = 0n
  #keepAlive: UpstreamStream | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(upstream: Upstream, options: ProxyRegistryOptions) {
    this.#upstream = upstream
    this.#options = options
  }

  /** Registers, and again whenever the lease is lost. */
  start(): void {
    void this.#register().catch((reason: unknown) => {
      this.#options.onWarning?.(`the proxy is not registered: ${KvError.from(reason).message}`)
      this.#again()
    })
  }

  /** All that are registered, as members. */
  async list(): Promise<readonly MemberRecord[]> {
    const key = Buffer.from(`${this.#options.prefix}/`)
    const answer = await this.#ask('KV/Range', encodeRangeRequest(rangeOf(key, prefixEnd(key))))
    const records: MemberRecord[] = []
    for (const kv of decodeRangeResponse(answer).kvs) {
      const record = recordOf(Buffer.from(decodeKeyValue(kv).value).toString())
      if (record !== undefined) records.push(record)
    }
    return records
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#keepAlive?.cancel()
    if (this.#lease === 0n) return
    const body = encodeLeaseRevokeRequest({ id: this.#lease })
    // Members that do not answer any more will let the lease expire.
    await new Promise<void>((resolve) => {
      setTimeout(resolve, closeTimeoutMs).unref()
      this.#upstream.unary('/etcdserverpb.Lease/LeaseRevoke', body, '', () => resolve())
    })
  }

  async #register(): Promise<void> {
    const { prefix, ttlSeconds, address } = this.#options
    const grant = encodeLeaseGrantRequest({ id: 0n, ttl: ttlSeconds })
    const { id } = decodeLeaseGrantResponse(await this.#ask('Lease/LeaseGrant', grant))
    this.#lease = id
    const update = { Op: 0, Addr: address, Metadata: JSON.stringify({ name: hostname() }) }
    const put = {
      key: Buffer.from(`${prefix}/${address}`),
      value: Buffer.from(JSON.stringify(update)),
      lease: id,
      prevKv: false,
      ignoreValue: false,
      ignoreLease: false,
    }
    await this.#ask('KV/Put', encodePutRequest(put))
    if (!this.#isClosed) this.#keepAliveOf(id)
  }

  #keepAliveOf(id: bigint): void {
    const stream = this.#upstream.stream('/etcdserverpb.Lease/LeaseKeepAlive', '', {
      message: (body) => {
        // The lease is gone.
        if (decodeLeaseKeepAliveResponse(body).ttl > 0) return
        stream.cancel()
        this.#again()
      },
      ended: () => this.#again(),
    })
    this.#keepAlive = stream
    const beat = (): void => {
      stream.write(encodeLeaseKeepAliveRequest({ id }))
      this.#timer = setTimeout(beat, (this.#options.ttlSeconds * 1000) / 3)
    }
    beat()
  }

  #again(): void {
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => this.start(), retryDelayMs)
  }

  #ask(method: string, body: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#upstream.unary(`/etcdserverpb.${method}`, body, '', (error, answer) => {
        if (answer === undefined) reject(error ?? new KvError('INTERNAL'))
        else resolve(answer)
      })
    })
  }
}

function rangeOf(key: Uint8Array, rangeEnd: Uint8Array): Parameters<typeof encodeRangeRequest>[0] {
  return {
    key,
    rangeEnd,
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  }
}

/** Undefined for what is no registration. */
function recordOf(text: string): MemberRecord | undefined {
  try {
    const { Addr: address, Metadata: metadata } = JSON.parse(text) as Record<string, unknown>
    if (typeof address !== 'string') return undefined
    const { name } = JSON.parse(typeof metadata === 'string' ? metadata : '{}') as { name?: string }
    const urls = { peerUrls: [], clientUrls: [address] }
    return { id: 0n, name: name ?? '', ...urls, isLearner: false }
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}
