// Answers to ranges, kept for serializable reads of the same range. Writes through this proxy take out what they touch; those made
// elsewhere do not show until an answer is read anew, which a serializable read allows.
import { keyRange } from '../mvcc/key-range.ts'
import type { KeyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import { decodeTxnRequest, encodeRangeRequest } from '../proto/index.ts'
import type { RangeRequest, RequestOp } from '../proto/messages.ts'

export const cachedAnswersMax = 2048
export const cachedSizeBytesMax = 67_108_864

interface Cached {
  readonly answer: Uint8Array
  readonly keys: KeyRange
  /** An answer for a fixed revision stays true. */
  readonly isFixed: boolean
}

export class RangeCache {
  /** Those used last stand last. */
  readonly #answers = new Map<string, Cached>()
  #sizeBytes = 0
  hits = 0
  misses = 0

  get count(): number {
    return this.#answers.size
  }

  /** `scope` keeps apart who may not see each other's answers. */
  get(scope: string, request: RangeRequest): Uint8Array | undefined {
    const name = nameOf(scope, request)
    const found = this.#answers.get(name)
    if (found === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    this.#answers.delete(name)
    this.#answers.set(name, found)
    return found.answer
  }

  add(scope: string, request: RangeRequest, answer: Uint8Array): void {
    const name = nameOf(scope, request)
    this.#remove(name)
    const { key, rangeEnd, revision } = request
    this.#answers.set(name, { answer, keys: keyRange(key, rangeEnd), isFixed: revision > 0 })
    this.#sizeBytes += answer.length
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= cachedAnswersMax && this.#sizeBytes <= cachedSizeBytesMax) return
      this.#remove(oldest)
    }
  }

  /** A write touches these keys. */
  wrote(key: Uint8Array, rangeEnd: Uint8Array): void {
    const written = keyRange(key, rangeEnd)
    for (const [name, { keys, isFixed }] of this.#answers) {
      if (!isFixed && overlaps(keys, written)) this.#remove(name)
    }
  }

  /** Either branch may have been taken. */
  wroteTxn(body: Uint8Array): void {
    const { success, failure } = decodeTxnRequest(body)
    this.#wroteOps([...success, ...failure])
  }

  clear(): void {
    this.#answers.clear()
    this.#sizeBytes = 0
  }

  #wroteOps(ops: readonly RequestOp[]): void {
    for (const op of ops) {
      if (op?.type === 'put') this.wrote(op.request.key, new Uint8Array(0))
      else if (op?.type === 'deleteRange') this.wrote(op.request.key, op.request.rangeEnd)
      else if (op?.type === 'txn') this.#wroteOps([...op.request.success, ...op.request.failure])
    }
  }

  #remove(name: string): void {
    this.#sizeBytes -= this.#answers.get(name)?.answer.length ?? 0
    this.#answers.delete(name)
  }
}

/** A linearizable answer serves serializable reads. */
function nameOf(scope: string, request: RangeRequest): string {
  return `${scope}\n${keyText(encodeRangeRequest({ ...request, serializable: true }))}`
}

function overlaps(a: KeyRange, b: KeyRange): boolean {
  return (a.to === undefined || b.from < a.to) && (b.to === undefined || a.from < b.to)
}
