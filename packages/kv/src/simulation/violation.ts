// What a checker has found.

/** A promise of the member that a run has shown to be broken. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly property: string

  constructor(property: string, what: string) {
    super(`${property}: ${what}`)
    this.property = property
  }
}
