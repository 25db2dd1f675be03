// Waits for what must come true, however busy the machine is.
import { vi } from 'vitest'

/** Runs `check` until it does not throw. */
export function waitFor<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 10 })
}
