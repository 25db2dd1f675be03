// etcdserverpb.KV/RangeStream: a range in chunks, all of the revision of the first one, each read when the one before has left. What the
// chunks merge to is the answer of Range.
import { KvError } from '../../errors.ts'
import type { MemberApi } from '../../member/types.ts'
import {
  decodeKeyValue,
  decodeRangeRequest,
  encodeMessage,
  encodeRangeRequest,
} from '../../proto/index.ts'
import { sortOrder, sortTarget } from '../../proto/messages.ts'
import type { EncodedKeyValue, RangeRequest, RangeResponse } from '../../proto/messages.ts'
import type { Method, ReplyStream, RequestStream } from './method.ts'

/** Keys of the first chunk; those of the next ones follow from the size of what came. */
const firstChunkKeys = 10
/** What a chunk is steered to: etcd's largest request. */
export const chunkSizeBytesTarget: number = 1.5 * 2 ** 20
const chunkKeysMax = 1_000_000

export const rangeStreamMethod: Method = {
  kind: 'stream',
  path: '/etcdserverpb.KV/RangeStream',
  // As in etcd, JSON has none.
  routes: [],
  request: 'RangeRequest',
  response: 'RangeStreamResponse',
  open: (member, out) => new RangeStream(member, out),
}

class RangeStream implements RequestStream {
  readonly #member: MemberApi
  readonly #out: ReplyStream
  #isAsked = false
  #isClosed = false
  /** What to go on with when the wire has room. */
  #next: (() => void) | undefined

  constructor(member: MemberApi, out: ReplyStream) {
    this.#member = member
    this.#out = out
  }

  message(body: Uint8Array): void {
    if (this.#isAsked) throw new KvError('MALFORMED')
    this.#isAsked = true
    const request = decodeRangeRequest(body)
    checkStreamable(request)
    if (request.countOnly) {
      this.#ask(request, (answer) => this.#send(answer, true))
    } else {
      this.#chunk(request, { keys: firstChunkKeys, sent: 0, total: undefined })
    }
  }

  halfClosed(): void {
    if (!this.#isAsked) throw new KvError('MALFORMED')
  }

  writable(): void {
    const next = this.#next
    this.#next = undefined
    next?.()
  }

  closed(): void {
    this.#isClosed = true
    this.#next = undefined
  }

  /** `request` is for what is left; `total` is the answer to the first chunk, which speaks of the whole range. */
  #chunk(
    request: RangeRequest,
    progress: {
      readonly keys: number
      readonly sent: number
      readonly total: RangeResponse | undefined
    },
  ): void {
    const { keys, sent } = progress
    const left = request.limit > 0 ? request.limit - sent : Infinity
    this.#ask({ ...request, limit: Math.min(keys, left) }, (answer) => {
      const total = progress.total ?? answer
      const { kvs, more } = answer
      const isLast = !more || kvs.length >= left
      const { header, count } = total
      const hasRoom = this.#send({ header, count, kvs, more }, isLast)
      const last = kvs.at(-1)
      if (isLast || last === undefined) return
      const revision = request.revision > 0 ? request.revision : header.revision
      // What the first chunk waited for is here.
      const rest = { ...request, key: keyAfter(last), revision, serializable: true }
      const next = (): void =>
        this.#chunk(rest, { keys: nextChunkKeys(keys, kvs), sent: sent + kvs.length, total })
      if (hasRoom) next()
      else this.#next = next
    })
  }

  #ask(request: RangeRequest, use: (answer: RangeResponse) => void): void {
    this.#member.range(encodeRangeRequest(request), (error, answer) => {
      if (this.#isClosed) return
      if (error !== undefined || answer === undefined) {
        this.#out.end(error ?? new KvError('INTERNAL'))
      } else use(answer)
    })
  }

  /** Header, count and `more` are for the last chunk alone. */
  #send(answer: RangeResponse, isLast: boolean): boolean {
    const { kvs } = answer
    const rangeResponse = encodeMessage('RangeResponse', isLast ? answer : { kvs })
    const hasRoom = this.#out.send(encodeMessage('RangeStreamResponse', { rangeResponse }))
    if (isLast) this.#out.end(undefined)
    return hasRoom
  }
}

function checkStreamable(request: RangeRequest): void {
  const { sortOrder: order, sortTarget: target } = request
  const isByKey = target === sortTarget.key && order === sortOrder.ascend
  const isKnown = order >= 0 && order <= 2 && target >= 0 && target <= 4
  // Range says what is wrong with the others.
  if (request.key.length === 0 || !isKnown) return
  if (order !== sortOrder.none && !isByKey) {
    const message = 'RangeStream does not support custom sort orders'
    throw new KvError('UNIMPLEMENTED', { message })
  }
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request
  if (minModRevision || maxModRevision || minCreateRevision || maxCreateRevision) {
    const message = 'RangeStream does not support revision filters'
    throw new KvError('UNIMPLEMENTED', { message })
  }
}

/** Doubled while chunks are small, halved when they are large. */
function nextChunkKeys(keys: number, kvs: readonly EncodedKeyValue[]): number {
  let sizeBytes = 0
  for (const kv of kvs) sizeBytes += kv.length
  if (sizeBytes < chunkSizeBytesTarget / 2) return Math.min(keys * 2, chunkKeysMax)
  return sizeBytes > chunkSizeBytesTarget * 2 ? Math.max(1, Math.floor(keys / 2)) : keys
}

function keyAfter(kv: EncodedKeyValue): Uint8Array {
  const { key } = decodeKeyValue(kv)
  const after = new Uint8Array(key.length + 1)
  after.set(key)
  return after
}
