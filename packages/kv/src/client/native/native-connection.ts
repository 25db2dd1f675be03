// One connection of the native wire at the client: requests and replies matched by id, many in one frame, a watch stream beside them.
// When it breaks, what was sent may have been applied and what was not has not.
import { WebSocket } from 'ws'
import { decodeServerFrame, encodeFrame } from '../../api/native/frame-codec.ts'
import {
  closeCode,
  frameMessagesMax,
  frameSizeBytesTarget,
  nativePath,
  nativeVersion,
  replyFrameSizeBytesMax,
  requestFrameSizeBytesMax,
} from '../../api/native/native-protocol.ts'
import type { ClientMessage, ServerMessage } from '../../api/native/native-protocol.ts'
import { KvError, kvErrors } from '../../errors.ts'
import type { KvErrorCode } from '../../errors.ts'
import { encodeWatchRequest } from '../../proto/index.ts'
import type { WatchRequest } from '../../proto/index.ts'
import type { ClientTls, Endpoint } from '../endpoint.ts'
import { AttemptError, readWatchResponse } from '../wire.ts'
import type { WatchChannelEvents } from '../wire.ts'

/** What a server says of itself and its cluster. */
export interface Hello {
  readonly clusterId: bigint
  readonly memberId: bigint
  readonly leaderId: bigint
  readonly clientUrls: ReadonlyMap<bigint, readonly string[]>
}

export interface NativeConnectionOptions {
  readonly tls: ClientTls | undefined
  readonly connectTimeoutMs: number
  /** '': none. */
  token(): string
  onHello(connection: NativeConnection): void
  onClosed(connection: NativeConnection): void
}

interface Pending {
  readonly resolve: (body: Uint8Array) => void
  readonly reject: (error: AttemptError) => void
  readonly deadline: number
  readonly cleanUp: (() => void) | undefined
  isSent: boolean
}

/** A server that says nothing for two of these is taken for dead. */
const pingIntervalMs = 3000
const deadlineCheckIntervalMs = 100
const messageOverheadSizeBytes = 64
/** Of WebSocket; its text may have 123 bytes. */
const protocolErrorCode = 1002
const closeReasonLengthMax = 120

/** The server answered, but not as one that speaks the native wire. */
export class NotNativeError extends Error {
  override readonly name = 'NotNativeError'
}

export class NativeConnection {
  readonly endpoint: Endpoint
  readonly #socket: WebSocket
  readonly #options: NativeConnectionOptions
  readonly #pending = new Map<number, Pending>()
  readonly #timers: NodeJS.Timeout[]
  #hello: Hello
  #watch: WatchChannelEvents | undefined
  #queue: ClientMessage[] = []
  #queueSizeBytes = 0
  #isFlushScheduled = false
  #nextId = 1
  #isAlive = true
  #isClosed = false

  private constructor(
    endpoint: Endpoint,
    socket: WebSocket,
    hello: Hello,
    options: NativeConnectionOptions,
  ) {
    this.endpoint = endpoint
    this.#socket = socket
    this.#hello = hello
    this.#options = options
    socket.on('message', (data) => this.#frame(data as Buffer))
    socket.on('pong', () => {
      this.#isAlive = true
    })
    socket.on('close', () => this.#closed())
    this.#timers = [
      setInterval(() => this.#ping(), pingIntervalMs),
      setInterval(() => this.#expire(), deadlineCheckIntervalMs),
    ]
    for (const timer of this.#timers) timer.unref()
    if (options.token() !== '') this.sendToken()
  }

  /** Resolves when the server has introduced itself; rejects with NotNativeError or what the socket says. */
  static open(endpoint: Endpoint, options: NativeConnectionOptions): Promise<NativeConnection> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(endpoint.replace(/^http/, 'ws') + nativePath, {
        perMessageDeflate: false,
        maxPayload: replyFrameSizeBytesMax,
        handshakeTimeout: options.connectTimeoutMs,
        ...options.tls,
      })
      const timer = setTimeout(() => {
        reject(new Error('no hello in time'))
        socket.terminate()
      }, options.connectTimeoutMs)
      socket.once('open', () => socket.send(encodeFrame([[0, 'hello', nativeVersion]])))
      socket.once('unexpected-response', (_request, response) => {
        reject(new NotNativeError(`HTTP status ${response.statusCode}`))
        socket.terminate()
      })
      // Stays for the socket's life: 'close' follows every error.
      socket.on('error', (error) => reject(error))
      socket.once('close', (code, reason) => {
        clearTimeout(timer)
        const text = `closed with code ${code} ${reason.toString()}`
        reject(code === closeCode.version ? new NotNativeError(text) : new Error(text))
      })
      socket.once('message', (data) => {
        clearTimeout(timer)
        try {
          const [first, ...rest] = decodeServerFrame(data as Buffer)
          const hello = toHello(first)
          if (hello === undefined) throw new Error('the first message is not a hello')
          const connection = new NativeConnection(endpoint, socket, hello, options)
          for (const message of rest) connection.#message(message)
          resolve(connection)
        } catch (reason) {
          reject(new NotNativeError('its answer is not a frame', { cause: reason }))
          socket.terminate()
        }
      })
    })
  }

  get hello(): Hello {
    return this.#hello
  }

  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Nothing is waiting for this connection. */
  get isIdle(): boolean {
    return this.#pending.size === 0 && this.#watch === undefined
  }

  /** Rejects with AttemptError. */
  call(
    method: string,
    body: Uint8Array,
    options: { signal: AbortSignal | undefined; timeoutMs: number },
  ): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(lostBeforeSending())
    if (body.length > requestFrameSizeBytesMax - messageOverheadSizeBytes) {
      return Promise.reject(new AttemptError(new KvError('REQUEST_TOO_LARGE'), false))
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      const { signal } = options
      let cleanUp: (() => void) | undefined
      if (signal !== undefined) {
        const onAbort = (): void => this.#settle(id, new KvError('ABORTED'))
        signal.addEventListener('abort', onAbort, { once: true })
        cleanUp = (): void => signal.removeEventListener('abort', onAbort)
      }
      const deadline = performance.now() + options.timeoutMs
      this.#pending.set(id, { resolve, reject, deadline, cleanUp, isSent: false })
      this.#send([id, method, body])
    })
  }

  /** One per connection. */
  openWatch(events: WatchChannelEvents): void {
    this.#watch = events
  }

  closeWatch(): void {
    this.#watch = undefined
  }

  sendWatch(request: WatchRequest): void {
    this.#send([0, 'watch', encodeWatchRequest(request)])
  }

  /** What is sent after it is the new caller's. */
  sendToken(): void {
    this.#send([0, 'token', Buffer.from(this.#options.token())])
  }

  close(): void {
    if (this.#isClosed) return
    this.#flush()
    this.#socket.close(1000)
    this.#closed()
    setTimeout(() => this.#socket.terminate(), pingIntervalMs).unref()
  }

  #send(message: ClientMessage): void {
    if (this.#isClosed) return
    const body = message[2]
    const sizeBytes = messageOverheadSizeBytes + (typeof body === 'number' ? 0 : body.length)
    if (
      this.#queueSizeBytes + sizeBytes > frameSizeBytesTarget ||
      this.#queue.length >= frameMessagesMax
    ) {
      this.#flush()
    }
    this.#queue.push(message)
    this.#queueSizeBytes += sizeBytes
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    setImmediate(() => {
      this.#isFlushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#isClosed || this.#queue.length === 0) return
    const messages = this.#queue
    this.#queue = []
    this.#queueSizeBytes = 0
    for (const [id] of messages) {
      const pending = this.#pending.get(id)
      if (pending !== undefined) pending.isSent = true
    }
    this.#socket.send(encodeFrame(messages))
  }

  #frame(data: Buffer): void {
    this.#isAlive = true
    let messages: readonly ServerMessage[]
    try {
      messages = decodeServerFrame(data)
    } catch (reason) {
      this.#breakOff(KvError.from(reason))
      return
    }
    for (const message of messages) this.#message(message)
  }

  #message(message: ServerMessage): void {
    const [id, second, third, fourth] = message
    if (second instanceof Uint8Array) {
      this.#settle(id, second)
    } else if (id !== 0) {
      this.#settle(id, toError(second, String(third), Number(fourth)))
    } else if (third instanceof Uint8Array) {
      this.#watchResponse(third)
    } else {
      this.#hello = toHello(message) ?? this.#hello
      this.#options.onHello(this)
    }
  }

  #watchResponse(body: Uint8Array): void {
    const malformed = this.#watch === undefined ? undefined : readWatchResponse(body, this.#watch)
    if (malformed !== undefined) this.#breakOff(malformed)
  }

  /** A server that breaks the protocol is not listened to any more. */
  #breakOff(reason: KvError): void {
    this.#socket.close(protocolErrorCode, reason.message.slice(0, closeReasonLengthMax))
    this.#closed(reason)
  }

  #settle(id: number, outcome: Uint8Array | KvError): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    pending.cleanUp?.()
    if (outcome instanceof KvError) pending.reject(new AttemptError(outcome, pending.isSent))
    else pending.resolve(outcome)
  }

  #expire(): void {
    const now = performance.now()
    for (const [id, { deadline }] of this.#pending) {
      if (deadline <= now) this.#settle(id, new KvError('TIMEOUT'))
    }
  }

  #ping(): void {
    if (!this.#isAlive) {
      this.#socket.terminate()
      this.#closed()
      return
    }
    this.#isAlive = false
    this.#socket.ping()
  }

  #closed(reason?: KvError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const [id, { isSent }] of this.#pending) {
      this.#settle(id, isSent ? new KvError('CONNECTION_LOST') : lostBeforeSending().error)
    }
    this.#options.onClosed(this)
    const watch = this.#watch
    this.#watch = undefined
    watch?.lost(reason)
  }
}

function lostBeforeSending(): AttemptError {
  const message = 'balsa: connection lost before the request was sent'
  return new AttemptError(new KvError('CONNECTION_LOST', { message }), false)
}

function toHello(message: ServerMessage | undefined): Hello | undefined {
  if (message === undefined || message[1] !== 'hello') return undefined
  const [, , , clusterId, memberId, leaderId, members] = message
  return { clusterId, memberId, leaderId, clientUrls: new Map(members) }
}

function toError(code: string, message: string, compactRevision: number): KvError {
  if (!Object.hasOwn(kvErrors, code)) return new KvError('INTERNAL', { message })
  return new KvError(
    code as KvErrorCode,
    compactRevision > 0 ? { message, compactRevision } : { message },
  )
}
