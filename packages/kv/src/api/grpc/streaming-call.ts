// One streaming call: messages both ways until one side ends it.
import { grpcStatus } from '../../errors.ts'
import type { KvError } from '../../errors.ts'
import type { ReplyStream, RequestStream, StreamMethod } from '../services/index.ts'
import type { CallCounts } from '../wire-metrics.ts'
import { GrpcError } from './grpc-error.ts'
import { errorTrailers, okTrailers, responseHeaders } from './grpc-headers.ts'
import type { Http2Stream, StreamHandler } from './http2/http2-stream.ts'
import { MessageAssembler } from './message-assembler.ts'
import type { CallContext } from './unary-call.ts'

export class StreamingCall implements StreamHandler, ReplyStream {
  readonly requiresLeader: boolean
  readonly #context: CallContext
  readonly #stream: Http2Stream
  readonly #counts: CallCounts
  readonly #onOver: (call: StreamingCall) => void
  readonly #assembler: MessageAssembler
  #requests: RequestStream | undefined
  #deadline: number | undefined
  #sentHeaders = false
  #isOver = false

  constructor(
    context: CallContext,
    stream: Http2Stream,
    options: {
      readonly counts: CallCounts
      readonly timeoutMs: number | undefined
      readonly requiresLeader: boolean
      readonly onOver: (call: StreamingCall) => void
    },
  ) {
    this.#context = context
    this.#stream = stream
    this.#counts = options.counts
    this.#onOver = options.onOver
    this.requiresLeader = options.requiresLeader
    this.#assembler = new MessageAssembler(context.partialBytes, (body) => {
      this.#counts.received(body.length)
      this.#requests?.message(body)
    })
    if (options.timeoutMs !== undefined) {
      this.#deadline = context.deadlines.add(this, options.timeoutMs)
    }
  }

  open<Asked>(member: Asked, method: StreamMethod<Asked>): void {
    try {
      const requests = method.open(member, this)
      if (this.#isOver) requests.closed()
      else this.#requests = requests
    } catch (reason) {
      this.fail(GrpcError.from(reason))
    }
  }

  data(buffer: Buffer, start: number, end: number, isEnd: boolean): void {
    if (this.#isOver) return
    try {
      if (end > start) this.#assembler.push(buffer, start, end)
      if (!isEnd || this.#isOver) return
      if (this.#assembler.hasPartial) {
        throw new GrpcError(grpcStatus.internal, 'the request ends before its message does')
      }
      this.#requests?.halfClosed()
    } catch (reason) {
      this.fail(GrpcError.from(reason))
    }
  }

  writable(): void {
    if (!this.#isOver) this.#requests?.writable()
  }

  closed(): void {
    if (!this.#isOver) this.#counts.ended(grpcStatus.canceled)
    this.#finish()
  }

  expire(): void {
    this.#deadline = undefined
    this.fail(new GrpcError(grpcStatus.deadlineExceeded, 'context deadline exceeded'))
  }

  send(body: Uint8Array): boolean {
    if (this.#isOver) return true
    this.#sendHeaders()
    this.#counts.sent(body.length)
    return this.#stream.sendMessage(body)
  }

  end(error: KvError | undefined): void {
    if (error !== undefined) {
      this.fail(error)
      return
    }
    if (this.#isOver) return
    this.#finish()
    this.#counts.ended(grpcStatus.ok)
    this.#sendHeaders()
    this.#stream.sendTrailers(okTrailers)
  }

  fail(error: KvError | GrpcError): void {
    if (this.#isOver) return
    this.#finish()
    this.#counts.ended(error.grpcStatus)
    const isOnly = !this.#sentHeaders
    this.#stream.sendTrailers(errorTrailers(error.grpcStatus, error.message, isOnly))
  }

  #sendHeaders(): void {
    if (this.#sentHeaders) return
    this.#sentHeaders = true
    this.#stream.sendHeaders(responseHeaders)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#assembler.release()
    if (this.#deadline !== undefined) this.#context.deadlines.remove(this, this.#deadline)
    this.#onOver(this)
    this.#requests?.closed()
  }
}
