// What was in force, and when, as far as it can be known from outside: a change comes to be at some moment between when it was asked for
// and when that was answered.

interface Span<State> {
  readonly state: State
  readonly sinceMs: number
  untilMs: number
}

export class Timeline<State> {
  readonly #now: () => number
  readonly #spans: Span<State>[]

  constructor(now: () => number, state: State) {
    this.#now = now
    this.#spans = [{ state, sinceMs: -Infinity, untilMs: Infinity }]
  }

  /** Asked for: it may be in force from now on. */
  begin(state: State): void {
    this.#spans.push({ state, sinceMs: this.#now(), untilMs: Infinity })
  }

  /** Answered: what was before is over. Not called, it may come back for ever, as when a change was asked for twice. */
  settle(): void {
    for (const span of this.#spans.slice(0, -1)) span.untilMs = Math.min(span.untilMs, this.#now())
  }

  /** Everything that may have been in force at some time since `fromMs`. */
  since(fromMs: number): State[] {
    return this.#spans.filter(({ untilMs }) => untilMs >= fromMs).map(({ state }) => state)
  }
}
