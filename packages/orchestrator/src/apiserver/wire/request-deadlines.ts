// How long a request may take before it is told that it took too long: a minute, or less where it asks for less. What it began goes on;
// its answer is dropped. Requests that last as long as their clients like are not watched here.
import { ApiError } from '../../client/api-client.ts'
import { badRequest } from '../api-errors.ts'
import type { Exchange } from './exchange.ts'
import { sendError } from './replies.ts'

const timeoutMsDefault = 60_000
const sweepMs = 100
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

export class RequestDeadlines {
  /** Of performance.now(). */
  readonly #pending = new Map<Exchange, number>()
  #isArmed = false

  /** Throws ApiError BadRequest for a `timeout` in the query that is none. */
  watch(exchange: Exchange): void {
    this.#pending.set(exchange, performance.now() + timeoutOf(exchange))
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

/** Milliseconds. */
const timeoutOf = ({ rawQuery, query }: Exchange): number => {
  if (!rawQuery.includes('timeout=')) return timeoutMsDefault
  const text = query.get('timeout') ?? ''
  if (text === '') return timeoutMsDefault
  const parsed = durationMs(text)
  if (parsed === undefined) throw badRequest('invalid timeout specified in the request URL')
  return parsed === 0 ? timeoutMsDefault : Math.min(parsed, timeoutMsDefault)
}

/** As Go writes durations: `1m30s`, `500ms`; undefined: it is none. */
const durationMs = (text: string): number | undefined => {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount = '', unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0),
    0,
  )
}
