// One snapshot for one follower: a pinned view of the state machine and the id of its stream, for as long as it takes over however many
// connections. The bytes before the receiver's position are made again and checked, not sent.
import { crc32 } from 'node:zlib'
import { assert } from '../core/assert.ts'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { snapshotBytesPerSecondMax } from './defaults.ts'
import type { Clock, Random, SnapshotStream, StreamPosition } from './ports.ts'
import type { StateSnapshot } from './types.ts'

/** Being this far ahead of the rate is not worth a timer. */
const aheadMsMin = 10
const turnSizeBytes: number = 1024 * 1024

export interface SnapshotSessionOptions {
  readonly to: NodeId
  readonly meta: SnapshotMeta
  readonly snapshot: StateSnapshot
  readonly clock: Clock
  readonly random: Random
}

export class SnapshotSession implements SnapshotStream {
  readonly to: NodeId
  readonly meta: SnapshotMeta
  readonly id: string
  readonly #options: SnapshotSessionOptions
  isStreaming = false
  /** Gives up the view when nobody comes back for it. */
  cancelExpiry: (() => void) | undefined
  /** Attempts in a row that broke off, the last of which had not begun further on than the one before. */
  failures = 0
  /** The view does not give the same bytes again: it is of no more use. */
  isSpoilt = false
  #begunAt = -1
  #isReleased = false

  constructor(options: SnapshotSessionOptions) {
    assert(
      options.snapshot.index === options.meta.index,
      'a snapshot stands for the last applied entry',
    )
    this.#options = options
    this.to = options.to
    this.meta = options.meta
    this.id = Array.from({ length: 4 }, () => hex32(options.random())).join('')
  }

  async *chunks({ offset, checksum }: StreamPosition): AsyncGenerator<Uint8Array> {
    if (offset > this.#begunAt) this.failures = 0
    this.#begunAt = offset
    const { clock, snapshot } = this.#options
    const startedAt = clock.now()
    let position = 0
    let skippedChecksum = 0
    for await (const chunk of snapshot.chunks()) {
      const skip = Math.min(chunk.length, Math.max(0, offset - position))
      if (skip > 0) skippedChecksum = crc32(chunk.subarray(0, skip), skippedChecksum)
      if (this.#isTurnDue(position, chunk)) await this.#turn()
      position += chunk.length
      if (position < offset) continue
      if (skip > 0) this.#mustMatch(skippedChecksum === checksum)
      if (skip < chunk.length) yield chunk.subarray(skip)
      await this.#pace(startedAt, position - offset)
    }
    this.#mustMatch(position >= offset)
  }

  /** Now and then others get their turn, however fast the bytes are made. */
  #isTurnDue(position: number, chunk: Uint8Array): boolean {
    const after = position + chunk.length
    return Math.floor(position / turnSizeBytes) !== Math.floor(after / turnSizeBytes)
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.defer(resolve)
    })
  }

  #mustMatch(isSame: boolean): void {
    if (isSame) return
    this.isSpoilt = true
    throw new Error('The state machine gave other bytes than before')
  }

  async #pace(startedAt: number, sentBytes: number): Promise<void> {
    const { clock } = this.#options
    const aheadMs = startedAt + (sentBytes * 1000) / snapshotBytesPerSecondMax - clock.now()
    if (aheadMs < aheadMsMin) return
    await new Promise<void>((resolve) => {
      clock.setTimer(aheadMs, resolve)
    })
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.cancelExpiry?.()
    this.#options.snapshot.release()
  }
}

function hex32(random: number): string {
  return Math.floor(random * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
