// A prefix that all keys get on the way to the members and lose on the way back, so that a client has a part of the store for its own.
import { KvError } from '../errors.ts'
import { prefixEnd } from '../mvcc/key-range.ts'
import {
  decodeDeleteRangeRequest,
  decodeDeleteRangeResponse,
  decodeEvent,
  decodeKeyValue,
  decodePutRequest,
  decodePutResponse,
  decodeRangeRequest,
  decodeRangeResponse,
  decodeTxnRequest,
  decodeTxnResponse,
  encodeDeleteRangeRequest,
  encodeDeleteRangeResponse,
  encodeEvent,
  encodeKeyValue,
  encodePutRequest,
  encodePutResponse,
  encodeRangeRequest,
  encodeRangeResponse,
  encodeTxnRequest,
  encodeTxnResponse,
} from '../proto/index.ts'
import type {
  EncodedEvent,
  EncodedKeyValue,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from '../proto/messages.ts'

interface Keys {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
}

/** From a request's bytes to those for the members, and from their answer's to those for the client. */
export interface Translation {
  readonly request: (body: Uint8Array) => Uint8Array
  readonly response: (body: Uint8Array) => Uint8Array
}

export class Namespace {
  readonly #prefix: Uint8Array
  /** The first key behind all that begin with the prefix; one zero byte if there is none. */
  readonly #end: Uint8Array
  /** By path of the method. */
  readonly translations: ReadonlyMap<string, Translation>

  constructor(prefix: Uint8Array) {
    this.#prefix = prefix
    this.#end = prefixEnd(prefix)
    this.translations = new Map(this.#kvTranslations())
  }

  /** Throws EMPTY_KEY. */
  keys<Request extends Keys>(request: Request): Request {
    if (request.key.length === 0) throw new KvError('EMPTY_KEY')
    return { ...request, key: this.#add(request.key), rangeEnd: this.rangeEnd(request.rangeEnd) }
  }

  rangeEnd(end: Uint8Array): Uint8Array {
    if (end.length === 0) return end
    return end.length === 1 && end[0] === 0 ? this.#end : this.#add(end)
  }

  /** As a watch has it: without a key it is for all keys from the first one on. */
  watchKeys<Request extends Keys>(request: Request): Request {
    if (request.key.length > 0) return this.keys(request)
    return { ...request, key: this.#prefix, rangeEnd: this.rangeEnd(request.rangeEnd) }
  }

  pair(kv: EncodedKeyValue): EncodedKeyValue {
    const pair = decodeKeyValue(kv)
    return encodeKeyValue({ ...pair, key: this.strip(pair.key) })
  }

  event(event: EncodedEvent): EncodedEvent {
    const { type, kv, prevKv } = decodeEvent(event)
    return encodeEvent(type, this.pair(kv), prevKv === undefined ? undefined : this.pair(prevKv))
  }

  strip(key: Uint8Array): Uint8Array {
    return key.subarray(this.#prefix.length)
  }

  #add(key: Uint8Array): Uint8Array {
    const added = new Uint8Array(this.#prefix.length + key.length)
    added.set(this.#prefix)
    added.set(key, this.#prefix.length)
    return added
  }

  #kvTranslations(): [string, Translation][] {
    const pairs = (kvs: readonly EncodedKeyValue[]): EncodedKeyValue[] =>
      kvs.map((kv) => this.pair(kv))
    const table: Readonly<Record<string, Translation>> = {
      Range: {
        request: (body) => encodeRangeRequest(this.keys(decodeRangeRequest(body))),
        response: (body) => {
          const answer = decodeRangeResponse(body)
          return encodeRangeResponse({ ...answer, kvs: pairs(answer.kvs) })
        },
      },
      Put: {
        request: (body) => {
          const request = decodePutRequest(body)
          if (request.key.length === 0) throw new KvError('EMPTY_KEY')
          return encodePutRequest({ ...request, key: this.#add(request.key) })
        },
        response: (body) => {
          const { header, prevKv } = decodePutResponse(body)
          return encodePutResponse({ header, prevKv: prevKv && this.pair(prevKv) })
        },
      },
      DeleteRange: {
        request: (body) => encodeDeleteRangeRequest(this.keys(decodeDeleteRangeRequest(body))),
        response: (body) => {
          const answer = decodeDeleteRangeResponse(body)
          return encodeDeleteRangeResponse({ ...answer, prevKvs: pairs(answer.prevKvs) })
        },
      },
      Txn: {
        request: (body) => encodeTxnRequest(this.#txn(decodeTxnRequest(body))),
        response: (body) => encodeTxnResponse(this.#txnResponse(decodeTxnResponse(body))),
      },
    }
    return Object.entries(table).map(([name, each]) => [`/etcdserverpb.KV/${name}`, each])
  }

  #txn(txn: TxnRequest): TxnRequest {
    return {
      compare: txn.compare.map((compare) => this.keys(compare)),
      success: txn.success.map((op) => this.#op(op)),
      failure: txn.failure.map((op) => this.#op(op)),
    }
  }

  #op(op: RequestOp): RequestOp {
    if (op === undefined) return op
    if (op.type === 'txn') return { type: 'txn', request: this.#txn(op.request) }
    if (op.type === 'range') return { type: 'range', request: this.keys(op.request) }
    if (op.type === 'deleteRange') return { type: 'deleteRange', request: this.keys(op.request) }
    if (op.request.key.length === 0) throw new KvError('EMPTY_KEY')
    return { type: 'put', request: { ...op.request, key: this.#add(op.request.key) } }
  }

  #txnResponse(response: TxnResponse): TxnResponse {
    return { ...response, responses: response.responses.map((op) => this.#opResponse(op)) }
  }

  #opResponse(op: ResponseOp): ResponseOp {
    if (op.type === 'txn') return { type: 'txn', response: this.#txnResponse(op.response) }
    if (op.type === 'range') {
      const kvs = op.response.kvs.map((kv) => this.pair(kv))
      return { type: 'range', response: { ...op.response, kvs } }
    }
    if (op.type === 'put') {
      const { header, prevKv } = op.response
      return { type: 'put', response: { header, prevKv: prevKv && this.pair(prevKv) } }
    }
    const prevKvs = op.response.prevKvs.map((kv) => this.pair(kv))
    return { type: 'deleteRange', response: { ...op.response, prevKvs } }
  }
}
