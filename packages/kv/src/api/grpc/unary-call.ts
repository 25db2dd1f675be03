// One unary call: a request message in, a reply or a status out.
import type { KvError } from '../../errors.ts'
import { grpcStatus } from '../../errors.ts'
import type { GiveUp, UnaryMethod } from '../services/index.ts'
import type { CallCounts } from '../wire-metrics.ts'
import type { DeadlineQueue } from './deadline-queue.ts'
import { encodeMaxStaleness } from '../../proto/index.ts'
import { GrpcError } from './grpc-error.ts'
import { errorTrailers, okTrailers, responseHeaders } from './grpc-headers.ts'
import type { Http2Stream, StreamHandler } from './http2/http2-stream.ts'
import { MessageAssembler } from './message-assembler.ts'
import type { PartialBytes } from './message-assembler.ts'

const prefixSize = 5

/** What the calls of one server share. */
export interface CallContext {
  readonly deadlines: DeadlineQueue
  readonly partialBytes: PartialBytes
}

export class UnaryCall<Asked> implements StreamHandler {
  readonly #context: CallContext
  readonly #member: Asked
  readonly #stream: Http2Stream
  readonly #method: UnaryMethod<Asked>
  readonly #counts: CallCounts
  #assembler: MessageAssembler | undefined
  #body: Uint8Array | undefined
  #deadline: number | undefined
  readonly #maxStalenessMs: number
  #isOver = false
  #giveUp: GiveUp | void = undefined

  constructor(
    context: CallContext,
    stream: Http2Stream,
    call: {
      readonly member: Asked
      readonly method: UnaryMethod<Asked>
      readonly counts: CallCounts
      readonly timeoutMs: number | undefined
      /** Of a Range, from the metadata; 0: no bound is given there. */
      readonly maxStalenessMs: number
    },
  ) {
    const { timeoutMs } = call
    this.#context = context
    this.#member = call.member
    this.#stream = stream
    this.#method = call.method
    this.#counts = call.counts
    this.#maxStalenessMs = call.method.request === 'RangeRequest' ? call.maxStalenessMs : 0
    if (timeoutMs !== undefined) this.#deadline = context.deadlines.add(this, timeoutMs)
  }

  data(buffer: Buffer, start: number, end: number, isEnd: boolean): void {
    if (this.#isOver) return
    try {
      if (isEnd && this.#assembler === undefined && isOneMessage(buffer, start, end)) {
        this.#call(buffer.subarray(start + prefixSize, end))
        return
      }
      if (end > start) {
        this.#assembler ??= new MessageAssembler(this.#context.partialBytes, (body) => {
          if (this.#body !== undefined) {
            throw new GrpcError(grpcStatus.internal, 'more than one message in a unary call')
          }
          this.#body = body
        })
        this.#assembler.push(buffer, start, end)
      }
      if (!isEnd) return
      if (this.#body === undefined || this.#assembler?.hasPartial === true) {
        throw new GrpcError(grpcStatus.internal, 'the request ends before its message does')
      }
      this.#call(this.#body)
    } catch (reason) {
      this.#fail(GrpcError.from(reason))
    }
  }

  writable(): void {
    // A unary answer is queued as a whole.
  }

  closed(): void {
    if (!this.#isOver) this.#counts.ended(grpcStatus.canceled)
    this.#finish()
    this.#giveUp?.()
  }

  expire(): void {
    this.#deadline = undefined
    this.#giveUp?.()
    this.#fail(new GrpcError(grpcStatus.deadlineExceeded, 'context deadline exceeded'))
  }

  #call(body: Uint8Array): void {
    this.#counts.received(body.length)
    const stale = this.#maxStalenessMs
    const request = stale === 0 ? body : Buffer.concat([body, encodeMaxStaleness(stale)])
    this.#giveUp = this.#method.call(this.#member, request, (error, reply) =>
      this.#reply(error, reply),
    )
  }

  #reply(error: KvError | undefined, body: Uint8Array | undefined): void {
    if (this.#isOver) return
    if (error !== undefined || body === undefined) {
      this.#fail(error ?? new GrpcError(grpcStatus.unknown, 'no result'))
      return
    }
    if (this.#stream.isOverfull) {
      const message = 'too many answers that the client has not read'
      this.#fail(new GrpcError(grpcStatus.resourceExhausted, message))
      return
    }
    this.#finish()
    this.#counts.ended(grpcStatus.ok)
    this.#counts.sent(body.length)
    const stream = this.#stream
    stream.sendHeaders(responseHeaders)
    stream.sendMessage(body)
    stream.sendTrailers(okTrailers)
  }

  #fail(error: KvError | GrpcError): void {
    if (this.#isOver) return
    this.#finish()
    this.#counts.ended(error.grpcStatus)
    this.#stream.sendTrailers(errorTrailers(error.grpcStatus, error.message, true))
  }

  #finish(): void {
    this.#isOver = true
    this.#assembler?.release()
    this.#body = undefined
    if (this.#deadline !== undefined) this.#context.deadlines.remove(this, this.#deadline)
  }
}

function isOneMessage(buffer: Buffer, start: number, end: number): boolean {
  return (
    end - start >= prefixSize &&
    buffer[start] === 0 &&
    buffer.readUInt32BE(start + 1) === end - start - prefixSize
  )
}
