// Parses the text of a label selector (`app=web,tier in (a,b),!old`) as apimachinery's labels.Parse does, with its error texts.
import type { LabelOperator, LabelRequirement } from './label-selector.ts'
import { labelValueProblems, qualifiedNameProblems } from './names.ts'

export type ParsedLabelSelector =
  | { readonly ok: true; readonly requirements: readonly LabelRequirement[] }
  /** The whole text that Kubernetes answers with 400 BadRequest. */
  | { readonly ok: false; readonly message: string }

const operatorNames = 'in, notin, =, ==, !=, gt, lt'
const specialCharacters = '=!(),<>'
const specialTokens: readonly string[] = [')', ',', '!', '==', '=', '>', '<', '!=', '(']
/** As long as a URL; a selector has no business being longer. */
const selectorLengthMax = 64 * 1024

interface Token {
  readonly kind: 'word' | 'special' | 'end'
  readonly text: string
}

/** Never throws. '' selects everything. */
export const parseLabelSelector = (text: string): ParsedLabelSelector => {
  if (text.length > selectorLengthMax) {
    return { ok: false, message: `label selector is longer than ${selectorLengthMax} characters` }
  }
  const parser = new Parser(scan(text))
  try {
    return { ok: true, requirements: parser.selector() }
  } catch (reason) {
    if (reason instanceof SelectorSyntaxError) return { ok: false, message: reason.message }
    throw reason
  }
}

/** Carries the text of what is wrong out of the parser; it does not leave this file. */
class SelectorSyntaxError extends Error {
  override readonly name = 'SelectorSyntaxError'
}

const scan = (text: string): Token[] => {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    if (/\s/.test(character)) {
      at++
      continue
    }
    const special = specialCharacters.includes(character)
    const token = special ? specialAt(text, at) : wordAt(text, at)
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

const wordAt = (text: string, start: number): Token => {
  let end = start
  while (end < text.length && !isBoundary(text.charAt(end))) end++
  return { kind: 'word', text: text.slice(start, end) }
}

const isBoundary = (character: string): boolean =>
  specialCharacters.includes(character) || /\s/.test(character)

/** The longest operator here. */
const specialAt = (text: string, start: number): Token => {
  const two = text.slice(start, start + 2)
  if (specialTokens.includes(two)) return { kind: 'special', text: two }
  return { kind: 'special', text: text.charAt(start) }
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  selector(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    for (;;) {
      const token = this.#peek()
      if (token.kind === 'end') return requirements
      if (token.kind !== 'word' && token.text !== '!') {
        throw problem(`found '${token.text}', expected: !, identifier, or 'end of string'`)
      }
      requirements.push(this.#requirement())
      const next = this.#next()
      if (next.kind === 'end') return requirements
      if (next.text !== ',') throw problem(`found '${next.text}', expected: ',' or 'end of string'`)
      const after = this.#peek()
      if (after.kind !== 'word' && after.text !== '!') {
        throw problem(`found '${after.text}', expected: identifier after ','`)
      }
    }
  }

  #requirement(): LabelRequirement {
    const negated = this.#peek().text === '!'
    if (negated) this.#next()
    const { kind, text: key } = this.#next()
    if (kind !== 'word') throw requirementProblem(`found '${key}', expected: identifier`)
    const keyProblem = qualifiedNameProblems(key)[0]
    if (keyProblem !== undefined) {
      throw requirementProblem(`key: Invalid value: ${JSON.stringify(key)}: ${keyProblem}`)
    }
    if (negated) return { key, operator: '!', values: [] }
    if (this.#atEndOfRequirement()) return { key, operator: 'exists', values: [] }
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()]
    checkValues(key, operator, values)
    return { key, operator, values: values.toSorted() }
  }

  #operator(): LabelOperator {
    const { text } = this.#next()
    switch (text) {
      case '=':
      case '==':
      case '!=':
      case 'in':
      case 'notin':
        return text
      case '>':
        return 'gt'
      case '<':
        return 'lt'
      default:
        throw requirementProblem(`found '${text}', expected: ${operatorNames}`)
    }
  }

  #exactValue(): string {
    if (this.#atEndOfRequirement()) return ''
    const { kind, text } = this.#next()
    if (kind !== 'word') throw requirementProblem(`found '${text}', expected: identifier`)
    return text
  }

  #values(): string[] {
    const open = this.#next()
    if (open.text !== '(') throw requirementProblem(`found '${open.text}' expected: '('`)
    const first = this.#peek()
    if (first.text === ')') {
      this.#next()
      return []
    }
    if (first.kind !== 'word' && first.text !== ',') {
      throw requirementProblem(`found '${first.text}', expected: ',', ')' or identifier`)
    }
    const values = this.#valueList()
    const close = this.#next()
    if (close.text !== ')') throw requirementProblem(`found '${close.text}', expected: ')'`)
    return values
  }

  /** Words between commas; nothing between two of them is the empty value. */
  #valueList(): string[] {
    const values = new Set<string>()
    let afterWord = false
    for (;;) {
      const token = this.#peek()
      if (token.text === ')' && token.kind === 'special') {
        if (!afterWord) values.add('')
        return [...values]
      }
      this.#next()
      if (token.kind === 'word') {
        if (afterWord) throw requirementProblem(`found '${token.text}', expected: ',' or ')'`)
        values.add(token.text)
      } else if (token.text !== ',') {
        throw requirementProblem(
          `found '${token.text}', expected: ${afterWord ? `',' or ')'` : `',', or identifier`}`,
        )
      } else if (!afterWord) values.add('')
      afterWord = token.kind === 'word'
    }
  }

  #atEndOfRequirement(): boolean {
    const token = this.#peek()
    return token.kind === 'end' || (token.kind === 'special' && token.text === ',')
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' }
  }

  #next(): Token {
    const token = this.#peek()
    if (token.kind !== 'end') this.#at++
    return token
  }
}

const checkValues = (key: string, operator: LabelOperator, values: readonly string[]): void => {
  if (values.length === 0) {
    throw requirementProblem(
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    )
  }
  for (const [index, value] of values.entries()) {
    if ((operator === 'gt' || operator === 'lt') && !/^[+-]?[0-9]{1,18}$/.test(value)) {
      throw requirementProblem(
        `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      )
    }
    const valueProblem = labelValueProblems(value)[0]
    if (valueProblem !== undefined) {
      throw requirementProblem(
        `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${valueProblem}`,
      )
    }
  }
}

const problem = (text: string): SelectorSyntaxError => new SelectorSyntaxError(text)
const requirementProblem = (text: string): SelectorSyntaxError =>
  problem(`unable to parse requirement: ${text}`)
