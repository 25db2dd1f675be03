// The native wire to a cluster. One connection is home: any member that answers. Calls go to the leader when a connection to it stands,
// else home, where they are forwarded; so a leader that cannot be reached or has just changed costs a hop, not an error.
import { KvError } from '../../errors.ts'
import { backOffMs, delay } from '../back-off.ts'
import { parseEndpoint } from '../endpoint.ts'
import type { Endpoint } from '../endpoint.ts'
import { AttemptError } from '../wire.ts'
import type { AttemptOptions, WatchChannel, WatchChannelEvents, Wire, WireMethod } from '../wire.ts'
import { NativeConnection, NotNativeError } from './native-connection.ts'
import type { NativeConnectionOptions } from './native-connection.ts'

/** Answered for the member asked, not for the cluster. */
const memberMethods: ReadonlySet<WireMethod> = new Set([
  'Maintenance/Status',
  'Maintenance/HashKV',
  'Maintenance/Defragment',
])
/** How long a leader that refused a connection is left alone; how long home may have no leader before another member is asked. */
const leaderRetryMs = 1000
const leaderlessMaxMs = 2500

export class NativeWire implements Wire {
  readonly #endpoints: readonly Endpoint[]
  readonly #options: NativeConnectionOptions
  readonly #connections = new Map<Endpoint, NativeConnection>()
  readonly #opening = new Map<Endpoint, Promise<NativeConnection>>()
  readonly #closed = new AbortController()
  #home: NativeConnection | undefined
  #homeOpening: Promise<NativeConnection> | undefined
  #leader: NativeConnection | undefined
  #leaderTriedAt = -leaderRetryMs
  #leaderlessSince: number | undefined
  /** Which endpoint is tried next. */
  #next = 0
  #token = ''

  constructor(
    endpoints: readonly Endpoint[],
    options: Pick<NativeConnectionOptions, 'tls' | 'connectTimeoutMs'>,
  ) {
    this.#endpoints = endpoints
    this.#options = {
      ...options,
      token: () => this.#token,
      onHello: () => this.#followLeader(),
      onClosed: (connection) => this.#forget(connection),
    }
  }

  /** Tries every endpoint once. 'notNative': servers answered, but none as a native one. Rejects with the last failure when none answered. */
  async probe(): Promise<'native' | 'notNative'> {
    let isAnswered = false
    let failure: unknown
    for (const endpoint of this.#endpoints) {
      try {
        this.#setHome(await this.#connection(endpoint))
        return 'native'
      } catch (reason) {
        isAnswered ||= reason instanceof NotNativeError
        failure = reason
      }
    }
    if (isAnswered) return 'notNative'
    throw failure
  }

  async attempt(
    method: WireMethod,
    body: Uint8Array,
    options: AttemptOptions,
  ): Promise<Uint8Array> {
    const start = performance.now()
    const connection = this.#ready(method, options) ?? (await this.#waitFor(options))
    const timeoutMs = options.timeoutMs - (performance.now() - start)
    return connection.call(method, body, { signal: options.signal, timeoutMs })
  }

  async openWatchChannel(events: WatchChannelEvents): Promise<WatchChannel> {
    const connection = this.#home ?? (await this.#openHome())
    if (!connection.isOpen) throw new AttemptError(new KvError('CONNECTION_LOST'), false)
    connection.openWatch(events)
    return {
      create: (request) => connection.sendWatch({ type: 'create', request }),
      cancel: (watchId) => connection.sendWatch({ type: 'cancel', watchId }),
      progress: () => connection.sendWatch({ type: 'progress' }),
      close: () => connection.closeWatch(),
    }
  }

  setToken(token: string): void {
    this.#token = token
    for (const connection of this.#connections.values()) connection.sendToken()
  }

  close(): Promise<void> {
    this.#closed.abort()
    for (const connection of this.#connections.values()) connection.close()
    return Promise.resolve()
  }

  #parse(endpoint: string): Endpoint {
    return parseEndpoint(endpoint, this.#options.tls !== undefined)
  }

  #ready(method: WireMethod, { endpoint }: AttemptOptions): NativeConnection | undefined {
    if (endpoint !== undefined) return this.#connections.get(this.#parse(endpoint))
    if (this.#home === undefined) return undefined
    if (memberMethods.has(method)) return this.#home
    if (this.#leader === undefined) this.#followLeader()
    return this.#leader ?? this.#home
  }

  /** A connection to `endpoint`, or home; whichever comes first of it, the time-out and the signal. */
  async #waitFor({ endpoint, signal, timeoutMs }: AttemptOptions): Promise<NativeConnection> {
    const timedOut = new AbortController()
    const stop = AbortSignal.any(
      signal === undefined ? [timedOut.signal] : [timedOut.signal, signal],
    )
    const timer = delay(timeoutMs, stop).then(() => {
      const message = `balsa: no server answered in time: ${this.#endpoints.join(', ')}`
      throw new KvError('TIMEOUT', { message })
    })
    const opened =
      endpoint === undefined ? this.#openHome() : this.#connection(this.#parse(endpoint))
    try {
      return await Promise.race([opened, timer])
    } catch (reason) {
      const error = reason instanceof KvError ? reason : unreachable(endpoint, reason)
      throw new AttemptError(error, false)
    } finally {
      timer.catch(() => 'the race is over')
      opened.catch(() => 'the race is over')
      timedOut.abort()
    }
  }

  /** Goes round the endpoints until one answers; one search serves all callers. */
  #openHome(): Promise<NativeConnection> {
    this.#homeOpening ??= this.#searchHome().finally(() => {
      this.#homeOpening = undefined
    })
    return this.#homeOpening
  }

  async #searchHome(): Promise<NativeConnection> {
    for (let attempt = 0; ; attempt++) {
      const known = [...this.#connections.values()].find((connection) => connection.isOpen)
      if (known !== undefined && this.#leaderlessSince === undefined) return this.#setHome(known)
      const endpoint = this.#endpoints[this.#next++ % this.#endpoints.length]
      try {
        if (endpoint !== undefined) return this.#setHome(await this.#connection(endpoint))
      } catch (reason) {
        if (this.#closed.signal.aborted) throw new KvError('ABORTED', { cause: reason })
      }
      const rounds = Math.floor((attempt + 1) / this.#endpoints.length)
      if (rounds > 0) await delay(backOffMs(rounds), this.#closed.signal)
    }
  }

  async #connection(endpoint: Endpoint): Promise<NativeConnection> {
    if (this.#closed.signal.aborted) throw new KvError('ABORTED')
    const open = this.#connections.get(endpoint)
    if (open !== undefined) return open
    const opening = this.#opening.get(endpoint) ?? this.#open(endpoint)
    return opening
  }

  #open(endpoint: Endpoint): Promise<NativeConnection> {
    const opening = NativeConnection.open(endpoint, this.#options)
      .then((connection) => {
        if (connection.isOpen) this.#connections.set(endpoint, connection)
        if (this.#closed.signal.aborted) connection.close()
        return connection
      })
      .finally(() => this.#opening.delete(endpoint))
    this.#opening.set(endpoint, opening)
    return opening
  }

  #setHome(connection: NativeConnection): NativeConnection {
    this.#home = connection
    this.#leaderlessSince = undefined
    this.#followLeader()
    return connection
  }

  /** Learns from home who leads, and connects there in the background. */
  #followLeader(): void {
    const home = this.#home
    if (home === undefined || this.#closed.signal.aborted) return
    const { leaderId, memberId, clientUrls } = home.hello
    this.#watchLeaderless(home, leaderId)
    if (leaderId === memberId) {
      this.#leader = home
      this.#dropUnused()
      return
    }
    if (this.#leader?.hello.memberId === leaderId && this.#leader.isOpen) return
    this.#leader = undefined
    const now = performance.now()
    const urls = clientUrls.get(leaderId)
    if (urls === undefined || now - this.#leaderTriedAt < leaderRetryMs) return
    this.#leaderTriedAt = now
    void this.#connectLeader(leaderId, urls)
  }

  async #connectLeader(leaderId: bigint, urls: readonly string[]): Promise<void> {
    for (const url of urls) {
      try {
        const connection = await this.#connection(this.#parse(url))
        if (connection.hello.memberId !== leaderId) continue
        if (this.#home?.hello.leaderId === leaderId) this.#leader = connection
        this.#leaderTriedAt = -leaderRetryMs
        this.#dropUnused()
        return
      } catch (reason) {
        // Home forwards meanwhile; the next call after leaderRetryMs tries again.
        if (reason instanceof NotNativeError) continue
      }
    }
  }

  /** A member cut off from its leader serves nobody: after a while home moves on. */
  #watchLeaderless(home: NativeConnection, leaderId: bigint): void {
    if (leaderId !== 0n) {
      this.#leaderlessSince = undefined
      return
    }
    if (this.#leaderlessSince !== undefined || this.#endpoints.length < 2) return
    const since = performance.now()
    this.#leaderlessSince = since
    const timer = setTimeout(() => {
      if (this.#leaderlessSince === since && this.#home === home) home.close()
    }, leaderlessMaxMs)
    timer.unref()
  }

  /** Connections that are neither home nor leader serve only calls that name their endpoint. */
  #dropUnused(): void {
    for (const connection of this.#connections.values()) {
      if (connection === this.#home || connection === this.#leader) continue
      if (connection.isIdle) connection.close()
    }
  }

  #forget(connection: NativeConnection): void {
    if (this.#connections.get(connection.endpoint) === connection) {
      this.#connections.delete(connection.endpoint)
    }
    if (this.#leader === connection) this.#leader = undefined
    if (this.#home === connection) this.#home = undefined
  }
}

function unreachable(endpoint: string | undefined, cause: unknown): KvError {
  const message = `balsa: ${endpoint ?? 'the server'} cannot be reached: ${KvError.from(cause).message}`
  return new KvError('CONNECTION_LOST', { message, cause })
}
