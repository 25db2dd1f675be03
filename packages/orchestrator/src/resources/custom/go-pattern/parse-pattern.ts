// Reads a pattern as Go's package regexp does (the syntax of RE2), which upstream's schemas and CEL are written for.
import { CharacterSet, everything, type SetItem } from './character-set.ts'
import { parseClass, parseEscape } from './parse-class.ts'
import { PatternError, PatternReader } from './pattern-reader.ts'

export type Assertion =
  | 'beginLine'
  | 'beginText'
  | 'endLine'
  | 'endText'
  | 'noWordBoundary'
  | 'wordBoundary'

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: 'repeat'
      readonly part: PatternNode
      readonly min: number
      /** undefined: without end. */
      readonly max: number | undefined
      readonly isLazy: boolean
    }

interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
  readonly U: boolean
}

/** Go's is four times as much, of a stack that grows. */
const depthMax = 250
const repeatMax = 1000
const noFlags: Flags = { i: false, m: false, s: false, U: false }

/** Throws PatternError. */
export const parsePattern = (text: string): PatternNode => {
  const reader = new PatternReader(text)
  const node = new PatternParser(reader).choice({ flags: noFlags }, 0)
  if (!reader.isAtEnd) throw new PatternError('unexpected )', text)
  return node
}

/** Flags that are set within a group hold to its end. */
interface Scope {
  flags: Flags
}

class PatternParser {
  readonly #reader: PatternReader

  constructor(reader: PatternReader) {
    this.#reader = reader
  }

  choice(scope: Scope, depth: number): PatternNode {
    if (depth > depthMax) throw new PatternError('expression nests too deeply', this.#reader.text)
    const parts = [this.#sequence(scope, depth)]
    while (this.#reader.take('|')) parts.push(this.#sequence(scope, depth))
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : { kind: 'choice', parts }
  }

  #sequence(scope: Scope, depth: number): PatternNode {
    const reader = this.#reader
    const parts: PatternNode[] = []
    while (!reader.isAtEnd && reader.next !== '|' && reader.next !== ')') {
      if (reader.take('\\Q')) {
        const literal = Array.from(reader.upTo('\\E'), (one) => literalOf(one, scope))
        const last = literal.pop()
        parts.push(...literal)
        // What follows repeats the last one alone.
        if (last !== undefined) parts.push(this.#repeated(last, scope))
        continue
      }
      const start = reader.position
      const atom = this.#atom(scope, depth)
      if (atom === undefined) {
        // Flags, and nothing that could be repeated.
        const operator = this.#operator()
        if (operator !== undefined)
          throw new PatternError('missing argument to repetition operator', reader.since(start))
      } else parts.push(this.#repeated(atom, scope))
    }
    return { kind: 'sequence', parts }
  }

  #repeated(atom: PatternNode, { flags }: Scope): PatternNode {
    const reader = this.#reader
    const start = reader.position
    const operator = this.#operator()
    if (operator === undefined) return atom
    const isLazy = reader.take('?') !== flags.U
    const { min, max } = operator
    const end = reader.position
    if (this.#operator() !== undefined) {
      throw new PatternError('invalid nested repetition operator', reader.since(start))
    }
    reader.position = end
    const node: PatternNode = { kind: 'repeat', part: atom, min, max, isLazy }
    if (Math.max(min, max ?? 0) > repeatMax || !isRepeatable(node, repeatMax))
      throw new PatternError('invalid repeat count', reader.since(start))
    return node
  }

  /** undefined: there is none here. Braces that hold no numbers are characters. */
  #operator(): { readonly min: number; readonly max: number | undefined } | undefined {
    const reader = this.#reader
    if (reader.take('*')) return { min: 0, max: undefined }
    if (reader.take('+')) return { min: 1, max: undefined }
    if (reader.take('?')) return { min: 0, max: 1 }
    const found = reader.takeMatch(/\{(0|[1-9]\d{0,8})(,(0|[1-9]\d{0,8})?)?\}/y)
    if (found === undefined) return undefined
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === undefined ? undefined : Number(found[3])
    if (max !== undefined && max < min) throw new PatternError('invalid repeat count', found[0])
    return { min, max }
  }

  /** undefined: flags alone. */
  #atom(scope: Scope, depth: number): PatternNode | undefined {
    const reader = this.#reader
    const { flags } = scope
    const start = reader.position
    if (reader.next === '(') return this.#group(scope, depth)
    if (this.#operator() !== undefined)
      throw new PatternError('missing argument to repetition operator', reader.since(start))
    if (reader.take('^')) return assertion(flags.m ? 'beginLine' : 'beginText')
    if (reader.take('$')) return assertion(flags.m ? 'endLine' : 'endText')
    if (reader.take('.')) {
      return set([{ ranges: flags.s ? everything : [0, 9, 11, 0x10ffff], ...plain }])
    }
    if (reader.next === '[') return { kind: 'set', set: parseClass(reader, flags.i) }
    for (const [text, what] of assertions) if (reader.take(text)) return assertion(what)
    if (reader.next === '\\') return set([parseEscape(reader, flags.i)])
    return literalOf(reader.takeCharacter(), scope)
  }

  #group(scope: Scope, depth: number): PatternNode | undefined {
    const reader = this.#reader
    const start = reader.position
    reader.take('(')
    if (!reader.take('?')) return this.#groupEnd({ flags: scope.flags }, depth)
    const isNamed = reader.take('P<') || reader.take('<')
    if (isNamed) {
      if (reader.takeMatch(/\w+>/y) === undefined)
        throw new PatternError('invalid named capture', reader.rest(start))
      return this.#groupEnd({ flags: scope.flags }, depth)
    }
    const found = reader.takeMatch(/([imsU]*)(-[imsU]+)?([:)])/y)
    if (found === undefined)
      throw new PatternError('invalid or unsupported Perl syntax', reader.since(start, 1))
    const flags = { ...scope.flags }
    for (const flag of found[1] ?? '') if (isFlag(flag)) flags[flag] = true
    for (const flag of found[2] ?? '') if (isFlag(flag)) flags[flag] = false
    if (found[3] === ':') return this.#groupEnd({ flags }, depth)
    scope.flags = flags
    return undefined
  }

  #groupEnd(scope: Scope, depth: number): PatternNode {
    const node = this.choice(scope, depth + 1)
    if (this.#reader.take(')')) return node
    throw new PatternError('missing closing )', this.#reader.text)
  }
}

const plain = { isNegated: false, isFolded: false } as const
const assertions: readonly (readonly [string, Assertion])[] = [
  ['\\A', 'beginText'],
  ['\\z', 'endText'],
  ['\\b', 'wordBoundary'],
  ['\\B', 'noWordBoundary'],
]

const isFlag = (flag: string): flag is keyof Flags => Object.hasOwn(noFlags, flag)
const assertion = (which: Assertion): PatternNode => ({ kind: 'assert', assertion: which })
const set = (items: readonly SetItem[]): PatternNode => ({
  kind: 'set',
  set: new CharacterSet(items),
})

const literalOf = (character: string, { flags }: Scope): PatternNode => {
  const code = character.codePointAt(0) ?? 0
  return set([{ ranges: [code, code], isNegated: false, isFolded: flags.i }])
}

/** Whether repetitions within repetitions stay below `most` copies. */
const isRepeatable = (node: PatternNode, most: number): boolean => {
  if (node.kind === 'set' || node.kind === 'assert') return true
  if (node.kind !== 'repeat') return node.parts.every((part) => isRepeatable(part, most))
  // Loops are no copies.
  const isLoop = node.max === undefined && node.min <= 1
  const copies = isLoop || node.max === 1 ? 1 : (node.max ?? node.min)
  if (copies === 0) return true
  return copies <= most && isRepeatable(node.part, Math.floor(most / copies))
}
