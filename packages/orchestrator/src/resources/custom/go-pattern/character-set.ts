// Sets of characters as Go's patterns have them: ranges, classes of Perl and POSIX, properties of Unicode, with or without regard to case.

/** Pairs of first and last code points. */
export type Ranges = readonly number[]

/** One part of a class. */
export interface SetItem {
  readonly ranges: Ranges
  /** A property of Unicode, as JavaScript writes it in a class. */
  readonly property?: string
  readonly isNegated: boolean
  readonly isFolded: boolean
}

const codePointMax = 0x10ffff
const asciiMax = 128
/** Characters beyond ASCII whose answer is kept. */
const knownMax = 1024

const ranges = (text: string): Ranges => Array.from(text, (one) => one.codePointAt(0) ?? 0)

export const perlRanges: Readonly<Record<'d' | 's' | 'w', Ranges>> = {
  d: ranges('09'),
  s: ranges('\t\n\f\r  '),
  w: ranges('09AZ__az'),
}
export const posixRanges: ReadonlyMap<string, Ranges> = new Map([
  ['alnum', ranges('09AZaz')],
  ['alpha', ranges('AZaz')],
  ['ascii', [0, 0x7f]],
  ['blank', ranges('\t\t  ')],
  ['cntrl', [0, 0x1f, 0x7f, 0x7f]],
  ['digit', ranges('09')],
  ['graph', ranges('!~')],
  ['lower', ranges('az')],
  ['print', ranges(' ~')],
  ['punct', ranges('!/:@[`{~')],
  ['space', ranges('\t\r  ')],
  ['upper', ranges('AZ')],
  ['word', ranges('09AZ__az')],
  ['xdigit', ranges('09AFaf')],
])
export const everything: Ranges = [0, codePointMax]

export class CharacterSet {
  readonly #items: readonly { readonly item: SetItem; readonly matcher: RegExp | undefined }[]
  readonly #isNegated: boolean
  readonly #ascii = new Uint8Array(asciiMax)
  readonly #known = new Map<number, boolean>()

  constructor(items: readonly SetItem[], isNegated = false) {
    this.#items = items.map((item) => ({ item, matcher: matcherOf(item) }))
    this.#isNegated = isNegated
    for (let code = 0; code < asciiMax; code++) this.#ascii[code] = this.#look(code) ? 1 : 0
  }

  has(code: number): boolean {
    // NaN: there is none.
    if (!(code >= 0)) return false
    if (code < asciiMax) return this.#ascii[code] === 1
    const known = this.#known.get(code)
    if (known !== undefined) return known
    const found = this.#look(code)
    if (this.#known.size >= knownMax) this.#known.clear()
    this.#known.set(code, found)
    return found
  }

  #look(code: number): boolean {
    const found = this.#items.some(
      ({ item, matcher }) =>
        item.isNegated !==
        (matcher === undefined
          ? isInside(item.ranges, code)
          : matcher.test(String.fromCodePoint(code))),
    )
    return found !== this.#isNegated
  }
}

const isInside = (pairs: Ranges, code: number): boolean => {
  for (let index = 0; index < pairs.length; index += 2) {
    const [first = 0, last = 0] = [pairs[index], pairs[index + 1]]
    if (code >= first && code <= last) return true
  }
  return false
}

/** JavaScript knows properties and cases; one character is quickly searched. undefined: the ranges say it all. */
const matcherOf = ({ ranges: pairs, property = '', isFolded }: SetItem): RegExp | undefined => {
  if (property === '' && !isFolded) return undefined
  let inside = property
  for (let index = 0; index < pairs.length; index += 2) {
    const [first = 0, last = 0] = [pairs[index], pairs[index + 1]]
    inside += `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`
  }
  return new RegExp(`^[${inside}]$`, isFolded ? 'iu' : 'u')
}

/** How JavaScript writes the property that Go names; undefined: there is none. */
export const propertyOf = (name: string): string | undefined => {
  if (name === 'Any') return '\\u{0}-\\u{10ffff}'
  if (!/^\w+$/.test(name)) return undefined
  for (const kind of ['gc', 'sc']) {
    const property = `\\p{${kind}=${name}}`
    try {
      return new RegExp(property, 'u').source
    } catch (reason) {
      if (!(reason instanceof SyntaxError)) throw reason
    }
  }
  return undefined
}
