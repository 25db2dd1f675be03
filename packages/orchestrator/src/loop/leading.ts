// Runs a part of the control plane while its Lease is held, so that of several copies on one store one works. A part is ended before the
// Lease is given up, and anew begun when it is had again.
import type { ApiClient } from '../client/api-client.ts'
import { LeaderElection } from '../client/leader-election.ts'

export interface ElectionTimes {
  readonly leaseDurationMs?: number
  readonly renewDeadlineMs?: number
  readonly retryPeriodMs?: number
}
/** From when this copy leads until it does not. */
export interface Term {
  /** Aborts when leading ended: another copy may lead, so nothing may be written any more. */
  readonly leading: AbortSignal
  /** Aborts then, too, and when this copy is closed: what has not begun yet need not begin. */
  readonly wanted: AbortSignal
}
export interface LeadingOptions extends ElectionTimes {
  readonly client: ApiClient
  /** Of the Lease, in kube-system. */
  readonly name: string
  /** Differs between copies. */
  readonly identity: string
  /** Called whenever leading begins; what it starts is closed when leading ends. */
  readonly start: (term: Term) => Promise<{ close(): Promise<void> }>
  readonly onError: (error: unknown) => void
}

const namespace = 'kube-system'
/** Before a part that did not start is tried again. */
const restartMs = 1000

export class Leading {
  readonly #options: LeadingOptions
  readonly #election: LeaderElection
  /** Starts and ends, one after the other. */
  #work: Promise<void> = Promise.resolve()
  #part: { close(): Promise<void> } | undefined
  #retry: NodeJS.Timeout | undefined
  readonly #closing = new AbortController()

  constructor(options: LeadingOptions) {
    this.#options = options
    this.#election = new LeaderElection({
      ...options,
      namespace,
      onStartedLeading: (signal) => this.#begin(signal),
      onStoppedLeading: () => this.#end(),
    })
  }

  get isLeader(): boolean {
    return this.#election.isLeader
  }

  start(): void {
    this.#election.start()
  }

  /** The part ends first: nobody else begins before. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#end()
    await this.#work
    await this.#election.close()
    await this.#work
  }

  #begin(signal: AbortSignal): void {
    this.#then(async () => {
      const wanted = AbortSignal.any([signal, this.#closing.signal])
      if (wanted.aborted) return
      try {
        this.#part = await this.#options.start({ leading: signal, wanted })
      } catch (reason) {
        this.#retry = setTimeout(() => this.#begin(signal), restartMs)
        throw reason
      }
    })
  }

  #end(): void {
    clearTimeout(this.#retry)
    this.#then(async () => {
      const part = this.#part
      this.#part = undefined
      await part?.close()
    })
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((reason: unknown) => this.#options.onError(reason))
  }
}
