// Puts header blocks together: HEADERS without its padding and priority, and the CONTINUATION frames that must follow at once.
import type { FrameBudget } from './frame-budget.ts'
import type { Frame } from './frame-reader.ts'
import { unpad } from './frame-reader.ts'
import {
  frameFlag,
  frameType,
  Http2Error,
  http2ErrorCode,
  protocolError,
} from './http2-protocol.ts'

const prioritySize = 5

/** A whole block: `buffer[start, end)`. */
export type OnHeaderBlock = (
  streamId: number,
  isEnd: boolean,
  buffer: Buffer,
  start: number,
  end: number,
) => void

export class HeaderAssembler {
  readonly #budget: FrameBudget
  readonly #bytesMax: number
  readonly #onBlock: OnHeaderBlock
  #streamId = 0
  #isEnd = false
  #parts: Buffer[] = []
  #size = 0

  /** `bytesMax`: of one block. */
  constructor(budget: FrameBudget, bytesMax: number, onBlock: OnHeaderBlock) {
    this.#budget = budget
    this.#bytesMax = bytesMax
    this.#onBlock = onBlock
  }

  /** Throws if a block is under way and `frame` does not continue it, or the other way round. */
  check(frame: Frame): void {
    const isContinuation = frame.type === frameType.continuation
    if (isContinuation !== (this.#streamId !== 0)) throw protocolError('CONTINUATION')
  }

  headers(frame: Frame): void {
    const { streamId, flags } = frame
    if ((streamId & 1) === 0) throw protocolError('HEADERS on an even stream')
    const { start: paddedStart, end } = unpad(frame)
    const start = paddedStart + ((flags & frameFlag.priority) === 0 ? 0 : prioritySize)
    if (start > end) throw new Http2Error(http2ErrorCode.frameSizeError, 'HEADERS')
    const isEnd = (flags & frameFlag.endStream) !== 0
    if ((flags & frameFlag.endHeaders) !== 0) {
      this.#onBlock(streamId, isEnd, frame.buffer, start, end)
      return
    }
    this.#streamId = streamId
    this.#isEnd = isEnd
    this.#parts = [frame.buffer.subarray(start, end)]
    this.#size = end - start
  }

  continuation(frame: Frame): void {
    if (frame.streamId !== this.#streamId) throw protocolError('CONTINUATION of another stream')
    this.#budget.spend()
    this.#parts.push(frame.buffer.subarray(frame.start, frame.end))
    this.#size += frame.end - frame.start
    if (this.#size > this.#bytesMax) {
      throw new Http2Error(http2ErrorCode.enhanceYourCalm, 'header block too large')
    }
    if ((frame.flags & frameFlag.endHeaders) === 0) return
    const block = Buffer.concat(this.#parts)
    const streamId = this.#streamId
    this.#streamId = 0
    this.#parts = []
    this.#onBlock(streamId, this.#isEnd, block, 0, block.length)
  }
}
