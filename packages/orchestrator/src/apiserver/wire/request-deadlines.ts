// How long a request may take before it is told that it took too long: a minute, or less where it asks for less, with the time in which its
// body comes. What it began goes on; its answer is dropped. Of requests that last as long as their clients like only the bodies are watched.
import { parseGoDuration } from '@balsa/kv/go-duration'
import { ApiError } from '../../client/api-client.ts'
import { badRequest } from '../api-errors.ts'
import type { Exchange } from './exchange.ts'
import { sendError } from './replies.ts'

const timeoutMsDefault = 60_000
/** Of the body of a request that lasts as long as its client likes. */
export const bodyTimeoutMs = 120_000
const sweepMs = 100

export class RequestDeadlines {
  /** Of performance.now(). */
  readonly #pending = new Map<Exchange, number>()
  #isArmed = false

  /** Throws ApiError BadRequest for a `timeout` in the query that is none. */
  watch(exchange: Exchange): void {
    this.#add(exchange, timeoutOf(exchange))
  }

  /** Until the function returned is called. */
  watchBody(exchange: Exchange): () => void {
    this.#add(exchange, bodyTimeoutMs)
    return () => this.#pending.delete(exchange)
  }

  #add(exchange: Exchange, timeoutMs: number): void {
    this.#pending.set(exchange, performance.now() + timeoutMs)
    exchange.onEnd(() => this.#pending.delete(exchange))
    this.#arm()
  }

  /** One timer for all: most requests are over before it runs. */
  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    setTimeout(() => {
      this.#isArmed = false
      this.#sweep(performance.now())
      if (this.#pending.size > 0) this.#arm()
    }, sweepMs).unref()
  }

  #sweep(nowMs: number): void {
    for (const [exchange, atMs] of this.#pending) {
      // An answer that has begun is on its way.
      if (exchange.isStarted) this.#pending.delete(exchange)
      else if (atMs <= nowMs) {
        this.#pending.delete(exchange)
        const text = 'Timeout: request did not complete within the allotted timeout'
        sendError(exchange, new ApiError(504, 'Timeout', text, {}))
      }
    }
  }
}

/** Milliseconds. Throws ApiError BadRequest for a `timeout` in the query that is none. */
export const timeoutOf = ({ rawQuery, query }: Exchange): number => {
  if (!rawQuery.includes('timeout=')) return timeoutMsDefault
  const text = query.get('timeout') ?? ''
  if (text === '') return timeoutMsDefault
  const parsed = parseGoDuration(text)
  if (parsed === undefined) throw badRequest('invalid timeout specified in the request URL')
  return parsed === 0 ? timeoutMsDefault : Math.min(parsed, timeoutMsDefault)
}
