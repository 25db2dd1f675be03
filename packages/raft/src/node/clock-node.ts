// The real Clock and the real chance.
import type { Clock, Random } from './ports.ts'

export const nodeClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => {
      clearTimeout(timer)
    }
  },
  defer(callback) {
    setImmediate(callback)
  },
}

export const nodeRandom: Random = () => Math.random()
