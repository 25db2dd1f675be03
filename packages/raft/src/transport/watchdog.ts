// Calls back when nothing was heard for too long.
import type { Clock } from '../node/ports.ts'

export interface WatchdogOptions {
  readonly clock: Clock
  readonly silenceMsMax: number
  readonly onSilence: () => void
}

export class Watchdog {
  readonly #options: WatchdogOptions
  #heardAt: number
  #cancel: (() => void) | undefined

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#heardAt = options.clock.now()
    this.#arm(options.silenceMsMax)
  }

  #arm(ms: number): void {
    const { clock, silenceMsMax, onSilence } = this.#options
    this.#cancel = clock.setTimer(ms, () => {
      const left = this.#heardAt + silenceMsMax - clock.now()
      if (left > 0) this.#arm(left)
      else onSilence()
    })
  }

  heard(): void {
    this.#heardAt = this.#options.clock.now()
  }

  stop(): void {
    this.#cancel?.()
  }
}
