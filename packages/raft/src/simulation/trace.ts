// What happened in a run, and a fingerprint of it. Lines are only written out when somebody reads them: a run has hundreds of thousands.
import type { Message } from '../core/types.ts'
import { describeMessage } from './describe-message.ts'
import { TraceHash } from './trace-hash.ts'

const linesMax = 80
/** Parts of a millisecond that the fingerprint tells apart. */
const ticksPerMs = 1_000_000

interface Happening {
  readonly at: number
  readonly what: string | Message
}

export class Trace {
  readonly #now: () => number
  readonly #onLine: ((line: string) => void) | undefined
  readonly #hash = new TraceHash()
  #last: Happening[] = []

  constructor(now: () => number, onLine: ((line: string) => void) | undefined) {
    this.#now = now
    this.#onLine = onLine
  }

  get hash(): string {
    return this.#hash.toString()
  }

  note(text: string): void {
    this.#hash.add(text)
    this.#add(text)
  }

  /** `fingerprint` stands for the message's bytes. */
  delivered(message: Message, fingerprint: number): void {
    this.#hash.addNumber(fingerprint)
    this.#add(message)
  }

  #add(what: string | Message): void {
    const at = this.#now()
    this.#hash.addNumber(Math.round(at * ticksPerMs))
    this.#onLine?.(lineOf({ at, what }))
    this.#last.push({ at, what })
    if (this.#last.length > 2 * linesMax) this.#last.splice(0, linesMax)
  }

  lastLines(): readonly string[] {
    return this.#last.slice(-linesMax).map(lineOf)
  }
}

function lineOf({ at, what }: Happening): string {
  return `${at.toFixed(3)} ${typeof what === 'string' ? what : describeMessage(what)}`
}
