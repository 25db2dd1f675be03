// A pattern as it is read, character by character.

/** What is wrong with a pattern, in the words of Go's package regexp. */
export class PatternError extends Error {
  constructor(what: string, where: string) {
    super(`error parsing regexp: ${what}: \`${where}\``)
  }
}

export class PatternReader {
  readonly text: string
  position = 0

  constructor(text: string) {
    this.text = text
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length
  }

  /** '' at the end. */
  get next(): string {
    return this.text.charAt(this.position)
  }

  /** Whether `token` came, which is passed then. */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.position)) return false
    this.position += token.length
    return true
  }

  /** '' at the end. */
  takeCharacter(): string {
    const code = this.text.codePointAt(this.position)
    if (code === undefined) return ''
    const character = String.fromCodePoint(code)
    this.position += character.length
    return character
  }

  /** `pattern` has the flag `y`. */
  takeMatch(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.position += found[0].length
    return found
  }

  /** What comes before `end`, or all that is left; both are passed. */
  upTo(end: string): string {
    const index = this.text.indexOf(end, this.position)
    const text = this.text.slice(this.position, index === -1 ? undefined : index)
    this.position = index === -1 ? this.text.length : index + end.length
    return text
  }

  /** What was read since, and `more` of what follows. */
  since(start: number, more = 0): string {
    return this.text.slice(start, this.position + more)
  }

  rest(start: number): string {
    return this.text.slice(start)
  }
}
