// Ranges that a server streams, for wires that carry streams: etcd's RangeStream.
import { KvError } from '../errors.ts'
import type { Kv, KvPair, StreamOptions } from '../kv.ts'
import { decodeMessage, encodeRangeRequest } from '../proto/index.ts'
import type { EncodedKeyValue } from '../proto/messages.ts'
import { pairOf, rangeRequestOf } from './convert.ts'
import { AttemptError, type Wire } from './wire.ts'

/** Undefined: this wire carries none. */
export function streamedRanges(wire: Wire): Kv['rangeStream'] {
  const stream = wire.stream?.bind(wire)
  if (stream === undefined) return undefined
  return async function* (options: StreamOptions): AsyncGenerator<readonly KvPair[]> {
    const body = encodeRangeRequest(rangeRequestOf(options))
    try {
      for await (const part of stream('KV/RangeStream', body, options.signal)) {
        yield pairsOf(part)
      }
    } catch (reason) {
      throw reason instanceof AttemptError ? reason.error : KvError.from(reason)
    }
  }
}

function pairsOf(part: Uint8Array): KvPair[] {
  // Its header, count and `more` come with the last part alone.
  const { rangeResponse } = decodeMessage('RangeStreamResponse', part) as {
    readonly rangeResponse?: { readonly kvs: readonly EncodedKeyValue[] }
  }
  return (rangeResponse?.kvs ?? []).map(pairOf)
}
