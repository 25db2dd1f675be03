// Keeps so many HTTPS requests in flight for a time and tells how many were answered, and how fast.
import { openHttp1, openHttp2, type HttpsRequest, type HttpsTarget } from './https-connection.ts'

export interface HttpsLoad {
  readonly target: HttpsTarget
  readonly protocol: 'http/1.1' | 'h2'
  readonly inFlight: number
  /** HTTP/2 only: requests are shared out among them. */
  readonly connections: number
  readonly durationMs: number
  /** `index` counts requests. */
  readonly request: (index: number) => HttpsRequest
}
export interface HttpsLoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers other than 2xx. */
  readonly failures: number
}

export async function runHttpsLoad(load: HttpsLoad): Promise<HttpsLoadResult> {
  const isHttp2 = load.protocol === 'h2'
  const count = isHttp2 ? load.connections : load.inFlight
  const open = isHttp2 ? openHttp2 : openHttp1
  const connections = await Promise.all(Array.from({ length: count }, () => open(load.target)))
  const times: number[] = []
  let failures = 0
  let index = 0
  const startedAt = performance.now()
  const endAt = startedAt + load.durationMs
  await new Promise<void>((resolve) => {
    let working = load.inFlight
    const next = (slot: number): void => {
      const sentAt = performance.now()
      const connection = connections[slot % count]
      if (sentAt > endAt || connection === undefined) {
        if (--working === 0) resolve()
        return
      }
      connection.send(load.request(index++), (status) => {
        times.push(performance.now() - sentAt)
        if (status < 200 || status > 299) failures++
        if (status === 0) working = 1
        next(slot)
      })
    }
    for (let slot = 0; slot < load.inFlight; slot++) next(slot)
  })
  const seconds = (performance.now() - startedAt) / 1000
  for (const connection of connections) connection.close()
  times.sort((left, right) => left - right)
  return {
    perSecond: times.length / seconds,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    failures,
  }
}
