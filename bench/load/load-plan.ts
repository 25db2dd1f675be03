// What the main thread asks of the load worker, and what it gets back.

export interface LoadPlan {
  readonly wire: 'grpc' | 'native'
  readonly operation: 'put' | 'range'
  readonly url: string
  readonly connections: number
  /** Over all connections. */
  readonly inFlight: number
  /** Ends after so many calls or so much time, whichever comes first. */
  readonly count: number
  readonly durationMs: number
  readonly keyPrefix: string
  /** Keys are `keyPrefix` and a number below this, each once for puts, at random for ranges. */
  readonly keyCount: number
  readonly firstKey: number
  readonly valueSizeBytes: number
  /** Puts values that no compression makes smaller. */
  readonly noise?: boolean
}

export interface WatchPlan {
  readonly wire: 'watch'
  readonly url: string
  readonly connections: number
  readonly watchers: number
  readonly prefix: string
  readonly puts: number
  readonly putsInFlight: number
  readonly valueSizeBytes: number
}

export interface LoadResult {
  readonly count: number
  readonly perSecond: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failures: Readonly<Record<string, number>>
}

/** The value of a key, so that an answer's content can be checked. */
export function valueOf(key: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${key}.`)
}

/** Bytes that look random and follow from the key. */
export function noiseOf(key: string, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let state = 2166136261
  for (let i = 0; i < key.length; i++) state = Math.imul(state ^ key.charCodeAt(i), 16777619)
  for (let i = 0; i + 4 <= sizeBytes; i += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes.writeInt32LE(state, i)
  }
  return bytes
}

export function keyOf(plan: { readonly keyPrefix: string }, index: number): string {
  return plan.keyPrefix + String(index).padStart(10, '0')
}
