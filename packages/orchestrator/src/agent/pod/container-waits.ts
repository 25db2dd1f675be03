// Why containers that were not started yet wait: what they need is missing, or their image cannot run here. What happens is told in a
// kubelet's words.
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { ConfigError } from '../config/config-source.ts'
import { ImageError } from './container-command.ts'
import { ImagePulls, type PullProblem } from './image-pulls.ts'

export interface Waiting {
  readonly reason: string
  readonly message: string
}
export type RecordEvent = (
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  container: Container,
) => void

export class ContainerWaits {
  readonly #record: RecordEvent
  readonly #pulls = new ImagePulls()
  readonly #waiting = new Map<string, Waiting>()

  constructor(record: RecordEvent) {
    this.#record = record
  }

  get all(): ReadonlyMap<string, Waiting> {
    return this.#waiting
  }

  /** It is too early to try its image again. */
  isTooEarly(container: Container): boolean {
    const problem = this.#pulls.waiting(container, Date.now())
    if (problem === undefined) return false
    this.#pullWaits(container, problem)
    return true
  }

  /** What is missing may come. Throws `reason` when it is of another kind. */
  add(container: Container, reason: unknown): void {
    if (reason instanceof ImageError) {
      this.#pullWaits(container, this.#pulls.failed(container, reason, Date.now()))
      return
    }
    if (!(reason instanceof ConfigError)) throw reason
    const { message } = reason
    this.set(container, { reason: 'CreateContainerConfigError', message })
    this.#record('Warning', 'Failed', `Error: ${message}`, container)
  }

  set({ name }: Container, waiting: Waiting): void {
    this.#waiting.set(name, waiting)
  }

  /** All that it needs is there. */
  delete(container: Container): void {
    this.#waiting.delete(container.name)
    this.#pulls.succeeded(container)
  }

  #pullWaits(container: Container, { reason, message, events }: PullProblem): void {
    this.set(container, { reason, message })
    for (const event of events) this.#record(event.type, event.reason, event.message, container)
  }
}
