// One call of the JSON gateway, whatever carries it: JSON values come in, the service answers, and what it says goes out as JSON. The
// values of a stream are taken as they come; of a unary call the first one counts, as in etcd.
import { AssertionError } from '@balsa/raft/assert'
import { grpcStatus, KvError } from '../../errors.ts'
import type { GrpcStatus } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { MemberApi } from '../../member/types.ts'
import { GrpcError } from '../grpc/grpc-error.ts'
import type { GiveUp, Method, RequestStream, StreamMethod, UnaryMethod } from '../services/index.ts'
import type { CallCounts } from '../wire-metrics.ts'
import { httpStatusOf, httpStatusTexts } from './http-status.ts'
import { JsonCut, JsonError, JsonReader } from './json-reader.ts'
import { BadJson, encodeFromJson } from './message-from-json.ts'
import { goJson, jsonFromMessage } from './message-to-json.ts'

const space = 0x20
const closingBrace = 0x7d
/** What a message may have beside the largest request. */
const messageOverheadBytes = 524_288

/** Of a message, in bytes. */
function messageSizeMax(limits: Readonly<Limits>): number {
  return limits.requestSizeBytesMax + messageOverheadBytes
}

/** JSON of the largest message that waits to be read: base64 makes 4 bytes of 3, and the rest has room too. */
export function unreadBytesMax(limits: Readonly<Limits>): number {
  return 2 * messageSizeMax(limits)
}

/** Where the answer goes. `isOfService` tells a refusal by the method from one by the gateway. */
export interface GatewayOut {
  answer(body: string): void
  refuse(httpStatus: number, body: string, isOfService: boolean): void
  /** One result of a stream. False: wait for drained(). */
  line(text: string): boolean
  /** The end of a stream; `httpStatus` counts if nothing was sent yet. */
  end(last: string, httpStatus: number): void
}

export class GatewayCall {
  readonly #member: MemberApi
  readonly #method: Method
  readonly #out: GatewayOut
  readonly #counts: CallCounts
  readonly #limits: Readonly<Limits>
  readonly #reader = new JsonReader(Buffer.alloc(0))
  readonly #onOver: () => void
  readonly #timer: NodeJS.Timeout | undefined
  #stream: RequestStream | undefined
  /** Of a unary call that waits long. */
  #giveUp: GiveUp | undefined
  #hasRequest = false
  #hasAnswered = false
  #isInputOver = false
  #isOver = false

  /** `timeoutMs`: the call ends after it; undefined for never. `onOver` is called once. */
  constructor(
    member: MemberApi,
    method: Method,
    options: {
      readonly out: GatewayOut
      readonly counts: CallCounts
      readonly limits: Readonly<Limits>
      readonly timeoutMs: number | undefined
      readonly onOver: () => void
    },
  ) {
    this.#member = member
    this.#method = method
    this.#out = options.out
    this.#counts = options.counts
    this.#limits = options.limits
    this.#counts.started()
    this.#onOver = options.onOver
    const { timeoutMs } = options
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#expire(), timeoutMs)
  }

  /** `isWhole`: no value goes on behind it. Else it is read when a value may end in it, so that a large one is not read again and again. */
  data(chunk: Buffer, isWhole = false): void {
    if (this.#isOver || this.#isInputOver) return
    this.#reader.push(chunk)
    if (isWhole || endsObject(chunk)) this.#read()
    if (!this.#isOver && this.#reader.unreadBytes > unreadBytesMax(this.#limits))
      this.#refuseSize(undefined)
  }

  inputEnded(): void {
    if (this.#isOver || this.#isInputOver) return
    this.#isInputOver = true
    this.#read()
    if (this.#isOver) return
    if (this.#method.kind === 'stream') this.#endInput()
    else if (!this.#hasRequest) this.#request(new Uint8Array(0))
  }

  drained(): void {
    if (!this.#isOver) this.#stream?.writable()
  }

  /** Ends a stream; a unary call that is under way is answered. */
  stop(error: KvError): void {
    if (this.#method.kind === 'stream') this.#fail(error)
  }

  /** Nobody waits for the answer. */
  close(): void {
    if (!this.#isOver) this.#counts.ended(grpcStatus.canceled)
    this.#finish()
  }

  #read(): void {
    try {
      for (;;) {
        const json = this.#isOver ? undefined : this.#reader.next()
        if (json === undefined) return
        this.#request(encodeFromJson(this.#method.request, json))
        if (this.#method.kind === 'unary') return
      }
    } catch (reason) {
      if (reason instanceof JsonCut && !this.#isInputOver) return
      if (reason instanceof JsonCut || reason instanceof JsonError || reason instanceof BadJson) {
        this.#refuseJson(reason.message)
      } else this.#caught(reason)
    }
  }

  #request(body: Uint8Array): void {
    if (body.length > messageSizeMax(this.#limits)) {
      this.#refuseSize(body.length)
      return
    }
    this.#hasRequest = true
    this.#counts.received(body.length)
    try {
      if (this.#method.kind === 'unary') this.#call(this.#method, body)
      else {
        this.#stream ??= this.#open(this.#method)
        if (!this.#isOver) this.#stream.message(body)
      }
    } catch (reason) {
      this.#caught(reason)
    }
  }

  #call(method: UnaryMethod, body: Uint8Array): void {
    this.#isInputOver = true
    const giveUp = method.call(this.#member, body, (error, reply) => {
      this.#giveUp = undefined
      if (this.#isOver) return
      if (error !== undefined || reply === undefined) {
        this.#fail(error ?? new KvError('INTERNAL'))
        return
      }
      this.#finish()
      this.#counts.sent(reply.length)
      this.#counts.ended(grpcStatus.ok)
      this.#out.answer(jsonFromMessage(method.response, reply))
    })
    if (!this.#isOver) this.#giveUp = giveUp ?? undefined
  }

  #open(method: StreamMethod): RequestStream {
    const stream = method.open(this.#member, {
      send: (body) => {
        if (this.#isOver) return true
        this.#hasAnswered = true
        this.#counts.sent(body.length)
        return this.#out.line(`{"result":${jsonFromMessage(method.response, body)}}\n`)
      },
      end: (error) => {
        if (error !== undefined) this.#fail(error)
        else if (!this.#isOver) {
          this.#finish()
          this.#counts.ended(grpcStatus.ok)
          this.#out.end('', 200)
        }
      },
    })
    // It may have ended while it was opened.
    if (this.#isOver) stream.closed()
    return stream
  }

  /** A stream may go on to answer when it hears no more. */
  #endInput(): void {
    try {
      const method = this.#method
      if (method.kind === 'stream') this.#stream ??= this.#open(method)
      if (!this.#isOver) this.#stream?.halfClosed()
    } catch (reason) {
      this.#caught(reason)
    }
  }

  #refuseJson(message: string): void {
    if (this.#method.kind === 'unary') this.#refuse(grpcStatus.invalidArgument, message, false)
    else if (!this.#hasRequest) this.#refuse(grpcStatus.unknown, message, false)
    else {
      // What came before it counts.
      this.#isInputOver = true
      this.#endInput()
    }
  }

  #refuseSize(sizeBytes: number | undefined): void {
    const max = messageSizeMax(this.#limits)
    const size = sizeBytes ?? `more than ${unreadBytesMax(this.#limits)}`
    const message = `grpc: received message larger than max (${size} vs. ${max})`
    this.#refuse(grpcStatus.resourceExhausted, message, true)
  }

  #expire(): void {
    const message = 'context deadline exceeded'
    if (this.#hasRequest || this.#method.kind === 'unary') {
      this.#refuse(grpcStatus.deadlineExceeded, message, false)
    } else this.#endWith(grpcStatus.deadlineExceeded, message)
  }

  #caught(reason: unknown): void {
    if (reason instanceof AssertionError) throw reason
    this.#fail(reason instanceof GrpcError ? reason : KvError.from(reason))
  }

  #fail(error: KvError | GrpcError): void {
    this.#refuse(error.grpcStatus, error.message, true)
  }

  #refuse(status: GrpcStatus, message: string, isOfService: boolean): void {
    if (this.#isOver) return
    if (this.#hasAnswered) {
      this.#endWith(status, message)
      return
    }
    this.#finish()
    this.#counts.ended(status)
    this.#out.refuse(httpStatusOf(status), errorJson(status, message), isOfService)
  }

  /** The error form within a stream. */
  #endWith(status: GrpcStatus, message: string): void {
    if (this.#isOver) return
    this.#finish()
    this.#counts.ended(status)
    const httpStatus = httpStatusOf(status)
    const error = {
      grpc_code: status,
      http_code: httpStatus,
      message,
      http_status: httpStatusTexts[httpStatus],
    }
    this.#out.end(goJson({ error }), httpStatus)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#stream?.closed()
    this.#giveUp?.()
    this.#onOver()
  }
}

function endsObject(chunk: Buffer): boolean {
  let at = chunk.length - 1
  while (at >= 0 && (chunk[at] ?? 0) <= space) at--
  return chunk[at] === closingBrace
}

export function errorJson(status: GrpcStatus, message: string): string {
  return goJson({ error: message, message, code: status })
}
