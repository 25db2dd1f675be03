// A load of puts for `check`: so many a second or as many as go through, from so many clients at once, and how long each took.
import type { Kv } from '../../kv.ts'
import { delay } from '../../client/back-off.ts'

export interface Load {
  readonly prefix: string
  readonly puts: number
  /** Undefined: as fast as they are answered. */
  readonly putsPerSecond?: number
  /** At most so many under way. */
  readonly clients: number
  readonly keySizeBytes: number
  readonly valueSizeBytes: number
}

export interface Measured {
  readonly putsPerSecond: number
  readonly slowestSeconds: number
  readonly stddevSeconds: number
}

/** Rejects with the first put that fails. */
export async function measureLoad(
  kv: Pick<Kv, 'put'>,
  load: Load,
  onPut: (done: number) => void,
): Promise<Measured> {
  const value = 'x'.repeat(load.valueSizeBytes)
  const tookSeconds: number[] = []
  const startedAt = performance.now()
  let next = 0
  const putAll = async (): Promise<void> => {
    while (next < load.puts) {
      const number = next++
      const dueAt = startedAt + (number * 1000) / (load.putsPerSecond ?? Infinity)
      const earlyMs = dueAt - performance.now()
      if (earlyMs > 0) await delay(earlyMs)
      const askedAt = performance.now()
      await kv.put(keyOf(load, number), value)
      tookSeconds.push((performance.now() - askedAt) / 1000)
      onPut(tookSeconds.length)
    }
  }
  await Promise.all(Array.from({ length: load.clients }, putAll))
  return summary(tookSeconds, (performance.now() - startedAt) / 1000)
}

function keyOf({ prefix, keySizeBytes }: Load, number: number): string {
  return prefix + String(number).padStart(keySizeBytes - prefix.length, '0')
}

function summary(tookSeconds: readonly number[], seconds: number): Measured {
  const count = tookSeconds.length
  const mean = tookSeconds.reduce((sum, took) => sum + took, 0) / count
  const squares = tookSeconds.reduce((sum, took) => sum + (took - mean) ** 2, 0)
  const slowestSeconds = tookSeconds.reduce((slowest, took) => Math.max(slowest, took), 0)
  const stddevSeconds = Math.sqrt(squares / count)
  return { putsPerSecond: count / seconds, slowestSeconds, stddevSeconds }
}
