// What was in force, and when, as far as it can be known from outside: a change comes to be at some moment between when it was asked for
// and when that was answered.

interface Span<State> {
  readonly state: State
  readonly sinceMs: number
  untilMs: number
  /** It may come back whenever. */
  isStuck: boolean
}

export class Timeline<State> {
  readonly #now: () => number
  readonly #spans: Span<State>[]

  constructor(now: () => number, state: State) {
    this.#now = now
    this.#spans = [{ state, sinceMs: -Infinity, untilMs: Infinity, isStuck: false }]
  }

  /** Asked for: it may be in force from now on. */
  begin(state: State): void {
    this.#spans.push({ state, sinceMs: this.#now(), untilMs: Infinity, isStuck: false })
  }

  /** Answered: what was before is over. One that was asked for several times may come through once more, even after others. */
  settle(isOnce: boolean): void {
    const last = this.#spans.at(-1)
    for (const span of this.#spans) {
      if (span !== last && !span.isStuck) span.untilMs = Math.min(span.untilMs, this.#now())
    }
    if (last !== undefined) last.isStuck = !isOnce
  }

  /** Everything that may have been in force at some time since `fromMs`. */
  since(fromMs: number): State[] {
    return this.#spans.filter(({ untilMs }) => untilMs >= fromMs).map(({ state }) => state)
  }
}
