// One connection of the native wire at the server. Replies and watch events of one turn of the event loop leave as one frame. A client
// that does not read is not read either, and its watchers wait; what it sends wrong closes its connection and nothing else.
import type { RawData, WebSocket } from 'ws'
import { KvError } from '../../errors.ts'
import type { MemberApi, WatchStream } from '../../member/types.ts'
import { decodeWatchRequest, encodeWatchResponse } from '../../proto/index.ts'
import type { WatchCreateRequest, WatchResponse } from '../../proto/messages.ts'
import { decodeClientFrame, encodeFrame } from './frame-codec.ts'
import type { GiveUp } from '../services/index.ts'
import { nativeMethods } from './native-methods.ts'
import {
  closeCode,
  frameMessagesMax,
  frameSizeBytesTarget,
  nativeVersion,
  replyBacklogSizeBytesMax,
  requestsInFlightMax,
  watchBacklogSizeBytesMax,
  watchersPerConnectionMax,
} from './native-protocol.ts'
import type { ClientMessage, ServerMessage } from './native-protocol.ts'

/** Bytes of a message beside its body, roughly. */
const messageOverheadSizeBytes = 16

export class NativeSession {
  readonly #socket: WebSocket
  readonly #member: MemberApi
  readonly #credentials: { token: string | undefined; readonly commonName: string | undefined }
  readonly #hello: (send: (message: ServerMessage) => void) => void
  #queue: ServerMessage[] = []
  #queueSizeBytes = 0
  #isFlushScheduled = false
  #requestsInFlight = 0
  #watchStream: WatchStream | undefined
  #watcherCount = 0
  #isWatchBlocked = false
  #isGreeted = false
  #isClosed = false
  /** Calls that wait long, by request id. */
  readonly #waiting = new Map<number, GiveUp>()
  /** Something came since the last ping. */
  isAlive = true

  /** `hello` makes the server's greeting and passes it on, at once or later. */
  constructor(
    socket: WebSocket,
    options: {
      readonly member: MemberApi
      /** Of the verified client certificate. */
      readonly commonName: string | undefined
      readonly hello: (send: (message: ServerMessage) => void) => void
    },
  ) {
    const { member, commonName } = options
    this.#socket = socket
    this.#credentials = { token: undefined, commonName }
    // A view reads the credentials at every request, so this one serves whatever token comes, and the watch stream keeps it.
    this.#member = member.as(this.#credentials)
    this.#hello = options.hello
    socket.on('message', (data, isBinary) => this.#frame(data, isBinary))
    socket.on('pong', () => {
      this.isAlive = true
    })
    // 'close' follows and does what is to do; ws has answered a protocol error with its own close code.
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.#closed())
  }

  /** Tells the client who leads now, once it has introduced itself. */
  greet(): void {
    if (this.#isGreeted) this.#hello((message) => this.#send(message, 0))
  }

  ping(): void {
    if (!this.isAlive) {
      this.#socket.terminate()
      return
    }
    this.isAlive = false
    this.#socket.ping()
  }

  close(): void {
    this.#flush()
    this.#socket.close(1001, 'server stopped')
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #frame(data: RawData, isBinary: boolean): void {
    this.isAlive = true
    if (!isBinary) {
      this.#refuse(1003, 'frames are binary')
      return
    }
    let messages: readonly ClientMessage[]
    try {
      messages = decodeClientFrame(data as Buffer)
    } catch (reason) {
      this.#refuse(closeCode.malformed, KvError.from(reason).message)
      return
    }
    for (const message of messages) {
      if (this.#isClosed) return
      this.#message(message)
    }
  }

  #message(message: ClientMessage): void {
    const [id, name, body] = message
    if (typeof body === 'number') {
      this.#introduced(body)
    } else if (!this.#isGreeted) {
      this.#refuse(closeCode.helloMissing, 'a hello must come first')
    } else if (id !== 0) {
      this.#request(id, name, body)
    } else if (name === 'watch') {
      this.#watchRequest(body)
    } else if (name === 'token') {
      this.#credentials.token = Buffer.from(body).toString()
    } else {
      this.#refuse(closeCode.malformed, 'unknown message')
    }
  }

  #introduced(version: number): void {
    if (version !== nativeVersion) {
      const text = `version ${version} is not spoken here, version ${nativeVersion} is`
      this.#refuse(closeCode.version, text)
      return
    }
    this.#isGreeted = true
    this.greet()
  }

  #request(id: number, name: string, body: Uint8Array): void {
    this.#requestsInFlight++
    if (this.#requestsInFlight > requestsInFlightMax) {
      this.#fail(id, new KvError('TOO_MANY_REQUESTS'))
      return
    }
    const method = nativeMethods.get(name)
    if (method === undefined) {
      this.#fail(id, new KvError('UNIMPLEMENTED', { message: `unknown method ${name}` }))
      return
    }
    try {
      let isDone = false
      const giveUp = method(this.#member, body, (error, reply) => {
        isDone = true
        this.#waiting.delete(id)
        if (error === undefined && reply !== undefined) this.#send([id, reply], reply.length)
        else this.#fail(id, error ?? new KvError('INTERNAL'))
      })
      if (giveUp !== undefined && !isDone) this.#waiting.set(id, giveUp)
    } catch (reason) {
      this.#fail(id, KvError.from(reason))
    }
  }

  #fail(id: number, error: KvError): void {
    const message = [id, error.code, error.message, error.compactRevision ?? 0] as const
    this.#send(message, error.message.length)
  }

  #watchRequest(body: Uint8Array): void {
    this.#watchStream ??= this.#member.openWatchStream({
      send: (response) => this.#sendWatchResponse(response),
    })
    try {
      const request = decodeWatchRequest(body)
      if (request === undefined) return
      if (request.type === 'cancel') this.#watchStream.cancel(request.watchId)
      else if (request.type === 'progress') this.#watchStream.requestProgress()
      else this.#createWatcher(this.#watchStream, request.request)
    } catch (reason) {
      this.#refuse(closeCode.malformed, KvError.from(reason).message)
    }
  }

  #createWatcher(stream: WatchStream, request: WatchCreateRequest): void {
    if (this.#watcherCount < watchersPerConnectionMax) {
      this.#watcherCount++
      stream.create(request)
      return
    }
    this.#send([0, 'watch', encodeWatchResponse(this.#tooManyWatchers())], 0)
  }

  #tooManyWatchers(): WatchResponse {
    return {
      header: this.#member.header(),
      watchId: -1,
      created: true,
      canceled: true,
      compactRevision: 0,
      cancelReason: `more than ${watchersPerConnectionMax} watchers on one connection`,
      fragment: false,
      events: [],
    }
  }

  #sendWatchResponse(response: WatchResponse): boolean {
    if (response.canceled) this.#watcherCount--
    const body = encodeWatchResponse(response)
    this.#send([0, 'watch', body], body.length)
    this.#isWatchBlocked = this.#backlogSizeBytes() > watchBacklogSizeBytesMax
    return !this.#isWatchBlocked
  }

  #backlogSizeBytes(): number {
    return this.#socket.bufferedAmount + this.#queueSizeBytes
  }

  #send(message: ServerMessage, bodySizeBytes: number): void {
    if (this.#isClosed) return
    this.#queue.push(message)
    this.#queueSizeBytes += bodySizeBytes + messageOverheadSizeBytes
    if (this.#queueSizeBytes >= frameSizeBytesTarget || this.#queue.length >= frameMessagesMax) {
      this.#flush()
    } else if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true
      setImmediate(() => {
        this.#isFlushScheduled = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    if (this.#isClosed || this.#queue.length === 0) return
    const messages = this.#queue
    this.#queue = []
    this.#queueSizeBytes = 0
    const replyCount = messages.reduce((count, [id]) => (id === 0 ? count : count + 1), 0)
    this.#socket.send(encodeFrame(messages), { binary: true }, () => this.#flushed(replyCount))
    if (this.#socket.bufferedAmount > replyBacklogSizeBytesMax) this.#socket.pause()
  }

  /** The kernel has the frame, or the socket is gone and 'close' follows. */
  #flushed(replyCount: number): void {
    this.#requestsInFlight -= replyCount
    if (this.#isClosed) return
    const backlog = this.#backlogSizeBytes()
    if (this.#socket.isPaused && backlog <= replyBacklogSizeBytesMax / 2) this.#socket.resume()
    if (this.#isWatchBlocked && backlog <= watchBacklogSizeBytesMax / 4) {
      this.#isWatchBlocked = false
      this.#watchStream?.resume()
    }
  }

  #refuse(code: number, text: string): void {
    // A close frame holds 123 bytes of reason.
    this.#socket.close(code, text.slice(0, 120))
    this.#closed()
  }

  #closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#queue = []
    this.#watchStream?.close()
    for (const giveUp of this.#waiting.values()) giveUp()
    this.#waiting.clear()
  }
}
