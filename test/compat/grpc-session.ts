// One HTTP/2 connection to a gRPC server, as cheap as it can be: requests and messages of replies stay bytes, header blocks are made and understood once.
import { connect, type Socket } from 'node:net'
import {
  ack,
  connectionStart,
  endStream,
  frame,
  FrameCutter,
  frameHeaderSizeBytes,
  frameType,
  headersFrame,
  MessageCutter,
  messageFrame,
  requestHeaders,
  windowUpdate,
} from '../../bench/load/grpc-frames.ts'
import { HpackDecoder } from '../../packages/kv/src/api/grpc/hpack/hpack-decoder.ts'

export interface Reply {
  /** grpc-status: 0 if it went well. */
  readonly code: number
  readonly text: string
  readonly body: Buffer
}

export interface GrpcStream {
  send(message: Uint8Array): void
  /** Nothing is told any more. */
  cancel(): void
}

interface Call {
  readonly cutter: MessageCutter
  readonly onMessage: (message: Buffer) => void
  readonly onEnd: (status: Status) => void
  /** A tick; undefined: it may last. */
  readonly deadline: number | undefined
}

interface Status {
  readonly code: number
  readonly text: string
}

/** Ticks, not a time: where the whole machine stood still nobody was late. */
const callTimeoutTicks = 120
const tickMs = 500
const windowDefault = 65_535
const windowRefillSizeBytes = 64 * 2 ** 20
const listSizeMax = 1 << 16
/** With which Go's server measures the connection, again after each answer; left unanswered there is just one, and half as many packets. */
const bandwidthPing = Buffer.from('02041010090e0707', 'hex')
const noBytes: Buffer = Buffer.alloc(0)
const canceledCode = 8
/** What grpc clients say of a call that did not come back. */
const unavailable = 14
const deadlineExceeded = 4

export class GrpcSession {
  readonly #authority: string
  readonly #socket: Socket
  readonly #decoder = new HpackDecoder()
  readonly #calls = new Map<number, Call>()
  /** By path and token. */
  readonly #blocks = new Map<string, Buffer>()
  /** By block: those of good answers are all equal. */
  readonly #statuses = new Map<string, Status | undefined>()
  readonly #timer: NodeJS.Timeout
  #ticks = 0
  #nextStreamId = 1
  #receivedSizeBytes = 0
  #sendWindow = windowDefault
  readonly #waiting: Buffer[] = []
  #out: Buffer[] = []

  constructor(host: string, port: number) {
    this.#authority = `${host}:${port}`
    this.#socket = connect({ host, port, noDelay: true })
    const cutter = new FrameCutter()
    this.#socket.on('data', (chunk: Buffer) => {
      cutter.push(chunk, (type, flags, id, payload) => this.#frame(type, flags, id, payload))
    })
    this.#socket.on('error', (error) => this.#lost(error.message))
    this.#socket.on('close', () => this.#lost('connection closed'))
    this.#socket.write(connectionStart())
    this.#timer = setInterval(() => this.#endLate(), tickMs)
  }

  call(path: string, token: string | undefined, request: Uint8Array): Promise<Reply> {
    return new Promise((resolve) => {
      let body = noBytes
      const id = this.#open(path, token, {
        cutter: new MessageCutter(),
        onMessage: (message) => (body = message),
        onEnd: ({ code, text }) => resolve({ code, text, body }),
        deadline: this.#ticks + callTimeoutTicks,
      })
      this.#data(messageFrame(id, request, endStream))
    })
  }

  stream(
    path: string,
    token: string | undefined,
    onMessage: (message: Buffer) => void,
    onEnd: (status: Status) => void,
  ): GrpcStream {
    const call = { cutter: new MessageCutter(), onMessage, onEnd, deadline: undefined }
    const id = this.#open(path, token, call)
    return {
      send: (message) => this.#data(messageFrame(id, message)),
      cancel: () => {
        if (!this.#calls.delete(id)) return
        const code = Buffer.alloc(4)
        code.writeUInt32BE(canceledCode)
        this.#write(frame(frameType.rst, 0, id, code))
      },
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #open(path: string, token: string | undefined, call: Call): number {
    const id = this.#nextStreamId
    this.#nextStreamId += 2
    this.#calls.set(id, call)
    const key = `${path} ${token ?? ''}`
    let block = this.#blocks.get(key)
    if (block === undefined) {
      block = requestHeaders(path, this.#authority, token === undefined ? {} : { token })
      this.#blocks.set(key, block)
    }
    this.#write(headersFrame(id, block))
    return id
  }

  #data(message: Buffer): void {
    this.#waiting.push(message)
    this.#sendWaiting()
  }

  #sendWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const sizeBytes = next.length - frameHeaderSizeBytes
      if (sizeBytes > this.#sendWindow) return
      this.#waiting.shift()
      this.#sendWindow -= sizeBytes
      this.#write(next)
    }
  }

  /** What is asked in one turn goes out in one piece. */
  #write(bytes: Buffer): void {
    if (this.#out.length === 0) queueMicrotask(() => this.#flush())
    this.#out.push(bytes)
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#out))
    this.#out = []
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === frameType.data) this.#received(id, payload)
    else if (type === frameType.headers) {
      const status = this.#status(payload)
      if ((flags & endStream) !== 0)
        this.#end(id, status ?? { code: unavailable, text: 'no status' })
    } else if (type === frameType.window && id === 0) {
      this.#sendWindow += payload.readUInt32BE(0)
      this.#sendWaiting()
    } else if (type === frameType.settings && (flags & ack) === 0) {
      this.#write(frame(frameType.settings, ack, 0, noBytes))
    } else if (type === frameType.ping && (flags & ack) === 0) {
      if (!payload.equals(bandwidthPing)) this.#write(frame(frameType.ping, ack, 0, payload))
    } else if (type === frameType.rst) {
      this.#end(id, { code: unavailable, text: `RST_STREAM ${payload.readUInt32BE(0)}` })
    } else if (type === frameType.goAway) this.#lost('GOAWAY')
  }

  #received(id: number, payload: Buffer): void {
    this.#receivedSizeBytes += payload.length
    if (this.#receivedSizeBytes > windowRefillSizeBytes) {
      this.#write(windowUpdate(this.#receivedSizeBytes))
      this.#receivedSizeBytes = 0
    }
    const call = this.#calls.get(id)
    call?.cutter.push(payload, call.onMessage)
  }

  /** Undefined: headers, not trailers. */
  #status(block: Buffer): Status | undefined {
    const key = block.toString('latin1')
    if (this.#statuses.has(key)) return this.#statuses.get(key)
    const fields = new Map(this.#decoder.decode(block, listSizeMax))
    const code = fields.get('grpc-status')
    const text = decodeURIComponent(fields.get('grpc-message') ?? '')
    const status = code === undefined ? undefined : { code: Number(code), text }
    this.#statuses.set(key, status)
    return status
  }

  #end(id: number, status: Status): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.#calls.delete(id)
    call.onEnd(status)
  }

  #endLate(): void {
    this.#ticks++
    for (const [id, { deadline }] of this.#calls) {
      if (deadline === undefined) continue
      if (deadline > this.#ticks) return
      this.#end(id, { code: deadlineExceeded, text: 'no answer in time' })
    }
  }

  #lost(text: string): void {
    for (const id of this.#calls.keys()) this.#end(id, { code: unavailable, text })
  }
}
