// Classes of characters in a pattern: `[a-z[:digit:]\pL]`, and what a backslash stands for.
import {
  CharacterSet,
  perlRanges,
  posixRanges,
  propertyOf,
  type Ranges,
  type SetItem,
} from './character-set.ts'
import { PatternError, type PatternReader } from './pattern-reader.ts'

const codePointMax = 0x10ffff
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

/** At `[`. Throws PatternError. */
export const parseClass = (reader: PatternReader, isFolded: boolean): CharacterSet => {
  const start = reader.position
  reader.take('[')
  const isNegated = reader.take('^')
  const items: SetItem[] = []
  let ranges: number[] = []
  const close = (): void => {
    if (ranges.length > 0) items.push({ ranges, isNegated: false, isFolded })
    ranges = []
  }
  for (let isFirst = true; isFirst || reader.next !== ']'; isFirst = false) {
    if (reader.isAtEnd) throw new PatternError('missing closing ]', reader.rest(start))
    const item = parsePosix(reader, isFolded) ?? parseGroup(reader, isFolded)
    if (item !== undefined) {
      items.push(item)
      continue
    }
    const from = reader.position
    const first = parseOne(reader)
    // A dash before the end is a character.
    const isRange = reader.next === '-' && reader.text.charAt(reader.position + 1) !== ']'
    if (isRange) reader.take('-')
    if (isRange && reader.isAtEnd) throw new PatternError('missing closing ]', reader.rest(start))
    const last = isRange ? parseOne(reader) : first
    if (last < first) throw new PatternError('invalid character class range', reader.since(from))
    ranges.push(first, last)
  }
  reader.take(']')
  close()
  return new CharacterSet(items, isNegated)
}

/** At a backslash, outside of classes. Throws PatternError. */
export const parseEscape = (reader: PatternReader, isFolded: boolean): SetItem => {
  const group = parseGroup(reader, isFolded)
  if (group !== undefined) return group
  const code = parseOne(reader)
  return { ranges: [code, code], isNegated: false, isFolded }
}

const parsePosix = (reader: PatternReader, isFolded: boolean): SetItem | undefined => {
  const found = reader.takeMatch(/\[:(\^?)([^\]]*?):\]/y)
  if (found === undefined) return undefined
  const ranges = posixRanges.get(found[2] ?? '')
  if (ranges === undefined) throw new PatternError('invalid character class range', found[0])
  return { ranges, isNegated: found[1] === '^', isFolded }
}

/** `\d`, `\pL` and the like; undefined: something else. */
const parseGroup = (reader: PatternReader, isFolded: boolean): SetItem | undefined => {
  const perl = reader.takeMatch(/\\([dDsSwW])/y)?.[1]
  if (perl !== undefined) {
    const name = perl.toLowerCase()
    const ranges: Ranges = perlRanges[name === 'd' || name === 's' ? name : 'w']
    return { ranges, isNegated: name !== perl, isFolded }
  }
  const found = reader.takeMatch(/\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/y)
  if (found === undefined) return undefined
  const property = propertyOf(found[3] ?? found[4] ?? '')
  if (property === undefined) throw new PatternError('invalid character class range', found[0])
  const isNegated = (found[1] === 'P') !== (found[2] === '^')
  return { ranges: [], property, isNegated, isFolded }
}

/** The code point of a character, or of what a backslash makes of one. */
const parseOne = (reader: PatternReader): number => {
  if (reader.next !== '\\') return reader.takeCharacter().codePointAt(0) ?? 0
  const start = reader.position
  const octal = reader.takeMatch(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y)?.[1]
  if (octal !== undefined) return Number.parseInt(octal, 8)
  const found = reader.takeMatch(/\\x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/y)
  if (found !== undefined) {
    const code = Number.parseInt(found[1] ?? found[2] ?? '', 16)
    if (code <= codePointMax) return code
    throw new PatternError('invalid escape sequence', found[0])
  }
  reader.take('\\')
  if (reader.isAtEnd) throw new PatternError('trailing backslash at end of expression', '')
  const character = reader.takeCharacter()
  const control = Object.hasOwn(controls, character) ? controls[character] : undefined
  if (control !== undefined) return control
  if (!/^[^\p{L}\p{N}]$/u.test(character) || character > '\x7f')
    throw new PatternError('invalid escape sequence', reader.since(start))
  return character.codePointAt(0) ?? 0
}
