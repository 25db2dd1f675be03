// One HTTP/2 connection of the generator with a fixed number of calls in flight: each answer is checked, and the next call follows at once.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { HpackDecoder } from '../../packages/kv/src/api/grpc/hpack/hpack-decoder.ts'
import {
  ack,
  connectionStart,
  endStream,
  frame,
  FrameCutter,
  frameType,
  headersFrame,
  MessageCutter,
  messageFrame,
  requestHeaders,
  windowUpdate,
} from './grpc-frames.ts'

export interface LoadConnectionOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly inFlight: number
  /** The next request's bytes; undefined: no more. */
  next(): Uint8Array | undefined
  /** An answer with grpc-status 0. Throws when its content is wrong. */
  answered(request: Uint8Array, reply: Buffer, us: number): void
  failed(text: string): void
}

interface Call {
  readonly request: Uint8Array
  readonly startedAt: number
  readonly cutter: MessageCutter
  reply: Buffer | undefined
}

const windowRefillSizeBytes = 64 * 2 ** 20
const listSizeMax = 1 << 16

export class LoadConnection {
  readonly #options: LoadConnectionOptions
  readonly #socket: Socket
  readonly #block: Buffer
  readonly #calls = new Map<number, Call>()
  /** grpc-status by header block: the blocks of all good answers are equal. */
  readonly #statuses = new Map<string, string | undefined>()
  readonly #decoder = new HpackDecoder()
  #nextStreamId = 1
  #receivedSizeBytes = 0
  #sendWindow = 65_535
  #waiting: Uint8Array | undefined
  #out: Buffer[] = []
  #onIdle: () => void = () => undefined

  private constructor(options: LoadConnectionOptions, socket: Socket) {
    this.#options = options
    this.#socket = socket
    this.#block = requestHeaders(options.path, `${options.host}:${options.port}`)
    const cutter = new FrameCutter()
    socket.on('data', (chunk: Buffer) => {
      cutter.push(chunk, (type, flags, id, payload) => this.#frame(type, flags, id, payload))
      this.#flush()
    })
    socket.on('error', (error) => this.#lost(error.message))
    socket.on('close', () => this.#lost('connection closed'))
    socket.write(connectionStart())
  }

  static open(options: LoadConnectionOptions): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: options.host, port: options.port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new LoadConnection(options, socket)))
    })
  }

  /** Resolves when next() has no more and every call is answered. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      for (let i = 0; i < this.#options.inFlight; i++) this.#start()
      this.#flush()
      this.#maybeIdle()
    })
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #start(): void {
    const request = this.#waiting ?? this.#options.next()
    if (request === undefined) return
    this.#waiting = undefined
    const sizeBytes = request.length + 5
    if (sizeBytes > this.#sendWindow) {
      this.#waiting = request
      return
    }
    this.#sendWindow -= sizeBytes
    const id = this.#nextStreamId
    this.#nextStreamId += 2
    const startedAt = performance.now()
    this.#calls.set(id, { request, startedAt, cutter: new MessageCutter(), reply: undefined })
    this.#out.push(headersFrame(id, this.#block), messageFrame(id, request, endStream))
  }

  #flush(): void {
    if (this.#out.length === 0) return
    this.#socket.write(Buffer.concat(this.#out))
    this.#out = []
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === frameType.settings && (flags & ack) === 0) {
      this.#out.push(frame(frameType.settings, ack, 0, Buffer.alloc(0)))
    } else if (type === frameType.ping && (flags & ack) === 0) {
      this.#out.push(frame(frameType.ping, ack, 0, payload))
    } else if (type === frameType.window && id === 0) {
      this.#sendWindow += payload.readUInt32BE(0)
      while (this.#waiting !== undefined && this.#waiting.length + 5 <= this.#sendWindow) {
        this.#start()
      }
    } else if (type === frameType.goAway) {
      this.#lost('GOAWAY')
    } else if (type === frameType.rst) {
      this.#finish(id, `RST_STREAM ${payload.readUInt32BE(0)}`)
    } else if (type === frameType.data) {
      this.#data(id, payload)
    } else if (type === frameType.headers) {
      const status = this.#status(payload)
      if ((flags & endStream) !== 0)
        this.#finish(id, status === '0' ? undefined : `grpc-status ${status}`)
    }
  }

  #data(id: number, payload: Buffer): void {
    this.#receivedSizeBytes += payload.length
    if (this.#receivedSizeBytes > windowRefillSizeBytes) {
      this.#out.push(windowUpdate(this.#receivedSizeBytes))
      this.#receivedSizeBytes = 0
    }
    const call = this.#calls.get(id)
    call?.cutter.push(payload, (message) => {
      call.reply = message
    })
  }

  #status(block: Buffer): string | undefined {
    const key = block.toString('latin1')
    if (!this.#statuses.has(key)) {
      const fields = this.#decoder.decode(block, listSizeMax) ?? []
      this.#statuses.set(key, fields.find(([name]) => name === 'grpc-status')?.[1])
    }
    return this.#statuses.get(key)
  }

  #finish(id: number, failure: string | undefined): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.#calls.delete(id)
    const { request, reply, startedAt } = call
    if (failure !== undefined || reply === undefined) {
      this.#options.failed(failure ?? 'no message in the answer')
    } else {
      this.#options.answered(request, reply, (performance.now() - startedAt) * 1000)
    }
    this.#start()
    this.#maybeIdle()
  }

  #maybeIdle(): void {
    if (this.#calls.size === 0 && this.#waiting === undefined) this.#onIdle()
  }

  #lost(text: string): void {
    for (const id of this.#calls.keys()) {
      this.#calls.delete(id)
      this.#options.failed(text)
    }
    this.#onIdle()
  }
}
