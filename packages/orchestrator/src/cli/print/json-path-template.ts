// kubectl's JSONPath templates: text with expressions in braces, ranges, filters, slices and recursive descent.
import { sortedJson } from '../sorted-json.ts'
import { isMembers } from '../without-managed-fields.ts'

type Step =
  | { readonly type: 'member'; readonly name: string }
  | { readonly type: 'slice'; readonly from?: number; readonly to?: number; readonly by: number }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | { readonly type: 'below' }
  | { readonly type: 'any'; readonly paths: readonly Path[] }
  | {
      readonly type: 'where'
      readonly left: Operand
      readonly test: string
      readonly right: Operand
    }
interface Path {
  /** Of the whole object; else of the item of a range. */
  readonly isRoot: boolean
  readonly steps: readonly Step[]
}
type Operand = Path | { readonly value: unknown }
type Node =
  | { readonly text: string }
  | { readonly path: Path }
  | { readonly range: Path; readonly nodes: readonly Node[] }

const stepsMax = 1000
const depthMax = 20

/** Makes the text of an object. Throws Error where the template is none, or an index is beyond the end of its list. */
export const jsonPathTemplate = (template: string): ((object: unknown) => string) => {
  const parts = partsOf(template)
  const { nodes, rest } = parseNodes(parts, 0, template)
  if (rest.length > 0) throw bad(template, 'not in range, nothing to end')
  return (object) => render(nodes, object, object)
}

/** The values that an expression without braces leads to: `.metadata.name`, `{.metadata.name}` or `metadata.name`. */
export const jsonPathValues = (expression: string): ((object: unknown) => readonly unknown[]) => {
  const inner = /^\{(.*)\}$/s.exec(expression)?.[1] ?? expression
  if (/[{}]/.test(inner.replaceAll(/"[^"]*"|'[^']*'/g, '')))
    throw new Error(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    )
  const path = parsePath(/^[.[$@]/.test(inner) ? inner : `.${inner}`, expression)
  return (object) => valuesAt(path, object, object)
}

/** As Go prints a value within text. */
export const goText = (value: unknown): string => {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (isMembers(value))
    return `map[${Object.keys(value)
      .toSorted()
      .map((key) => `${key}:${goText(value[key])}`)
      .join(' ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const bad = (template: string, why: string): Error =>
  new Error(`error parsing jsonpath ${template}, ${why}`)

/** Text and expressions by turns. */
const partsOf = (template: string): { readonly text?: string; readonly expression?: string }[] => {
  const parts: { text?: string; expression?: string }[] = []
  let at = 0
  while (at < template.length) {
    const start = template.indexOf('{', at)
    if (start < 0 || start > at)
      parts.push({ text: template.slice(at, start < 0 ? undefined : start) })
    if (start < 0) break
    const end = endOfExpression(template, start + 1)
    if (end < 0) throw bad(template, 'unclosed action')
    parts.push({ expression: template.slice(start + 1, end).trim() })
    at = end + 1
  }
  return parts
}

const endOfExpression = (text: string, from: number): number => {
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (quote !== '') quote = character === quote ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === '}') return at
  }
  return -1
}

const parseNodes = (
  parts: ReturnType<typeof partsOf>,
  depth: number,
  template: string,
): { readonly nodes: readonly Node[]; readonly rest: ReturnType<typeof partsOf> } => {
  if (depth > depthMax) throw bad(template, 'too many ranges')
  const nodes: Node[] = []
  let rest = parts
  for (;;) {
    const [part, ...others] = rest
    if (part === undefined) {
      if (depth > 0) throw bad(template, 'unclosed range')
      return { nodes, rest: [] }
    }
    rest = others
    const { text, expression = '' } = part
    if (text !== undefined) nodes.push({ text })
    else if (expression === 'end') {
      if (depth === 0) throw bad(template, 'not in range, nothing to end')
      return { nodes, rest }
    } else if (/^range\s/.test(expression)) {
      const inner = parseNodes(rest, depth + 1, template)
      nodes.push({ range: parsePath(expression.slice(5).trim(), template), nodes: inner.nodes })
      rest = inner.rest
    } else if (/^["']/.test(expression)) nodes.push({ text: unquoted(expression) })
    else nodes.push({ path: parsePath(expression, template) })
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
const unquoted = (text: string): string =>
  text.slice(1, -1).replaceAll(/\\(.)/g, (_, one: string) => escapes[one] ?? one)

const parsePath = (text: string, template: string): Path => {
  const steps: Step[] = []
  const isRoot = !text.startsWith('@')
  let rest = text.replace(/^[$@]/, '')
  if (rest !== '' && !/^[.[]/.test(rest)) throw bad(template, `unrecognized identifier ${rest}`)
  while (rest !== '' && rest !== '.') {
    if (steps.length > stepsMax) throw bad(template, 'it is too long')
    const bracket = /^\.?\[/.exec(rest)?.[0]
    if (bracket !== undefined) {
      const end = endOfBracket(rest, bracket.length)
      if (end < 0) throw bad(template, 'unterminated array')
      steps.push(parseBracket(rest.slice(bracket.length, end).trim(), template))
      rest = rest.slice(end + 1)
      continue
    }
    if (rest.startsWith('..')) {
      steps.push({ type: 'below' })
      rest = /^\.\.[[*]/.test(rest) ? rest.slice(2).replace(/^\*/, '.*') : rest.slice(1)
      continue
    }
    const [whole = '', name = ''] = /^\.?((?:[^.[\]\\\s]|\\.)+)/.exec(rest) ?? []
    if (whole === '') throw bad(template, `unrecognized character in action: ${rest.charAt(0)}`)
    steps.push(
      name === '*' ? { type: 'all' } : { type: 'member', name: name.replaceAll(/\\(.)/g, '$1') },
    )
    rest = rest.slice(whole.length)
  }
  return { isRoot, steps }
}

const endOfBracket = (text: string, from: number): number => {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"' || character === "'") {
      at = text.indexOf(character, at + 1)
      if (at < 0) return -1
    } else if (character === '[') depth++
    else if (character === ']' && --depth === 0) return at
  }
  return -1
}

const parseBracket = (text: string, template: string): Step => {
  if (text === '*') return { type: 'all' }
  const filter = /^\?\((.*)\)$/s.exec(text)?.[1]
  if (filter !== undefined) return parseFilter(filter.trim(), template)
  if (/^-?\d+$/.test(text)) return { type: 'index', index: Number(text) }
  const slice = /^(-?\d*):(-?\d*)(?::(\d*))?$/.exec(text)
  if (slice !== null) {
    const [, from = '', to = '', by = ''] = slice
    return {
      type: 'slice',
      ...(from === '' ? {} : { from: Number(from) }),
      ...(to === '' ? {} : { to: Number(to) }),
      by: Math.max(1, Number(by === '' ? 1 : by)),
    }
  }
  const names = text.match(/'[^']*'|"[^"]*"|[^,\s]+/g) ?? []
  const paths = names.map((name): Path => {
    if (/^['"]/.test(name))
      return { isRoot: false, steps: [{ type: 'member', name: name.slice(1, -1) }] }
    if (/^-?\d+$/.test(name)) return { isRoot: false, steps: [parseBracket(name, template)] }
    return { ...parsePath(/^[.[]/.test(name) ? name : `.${name}`, template), isRoot: false }
  })
  const [only, ...others] = paths
  const [step, ...further] = only?.steps ?? []
  if (step === undefined) throw bad(template, `invalid array index ${text}`)
  return others.length === 0 && further.length === 0 ? step : { type: 'any', paths }
}

const parseFilter = (text: string, template: string): Step => {
  const [, left = text, test = '', right = ''] =
    /^(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/s.exec(text) ?? []
  const operand = (word: string): Operand => {
    if (/^["']/.test(word)) return { value: unquoted(word) }
    if (/^[@$]/.test(word)) return parsePath(word, template)
    if (word === 'true' || word === 'false') return { value: word === 'true' }
    if (/^-?\d+(\.\d+)?$/.test(word)) return { value: Number(word) }
    throw bad(template, `unrecognized identifier ${word}`)
  }
  return {
    type: 'where',
    left: operand(left.trim()),
    test,
    right: test === '' ? { value: undefined } : operand(right.trim()),
  }
}

const render = (nodes: readonly Node[], item: unknown, root: unknown): string =>
  nodes
    .map((node) => {
      if ('text' in node) return node.text
      if ('range' in node)
        return valuesAt(node.range, item, root)
          .map((each) => render(node.nodes, each, root))
          .join('')
      return valuesAt(node.path, item, root).map(valueText).join(' ')
    })
    .join('')

const valueText = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? sortedJson(value)
    : goText(value).replace('<nil>', '')

/** A path that begins with neither `$` nor `@` is of the item, which is the whole outside of ranges. */
const valuesAt = ({ steps }: Path, item: unknown, root: unknown): readonly unknown[] => {
  let values: readonly unknown[] = [item]
  for (const step of steps) values = values.flatMap((one) => take(one, step, root))
  return values
}

const take = (value: unknown, step: Step, root: unknown): readonly unknown[] => {
  switch (step.type) {
    case 'member':
      return isMembers(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : []
    case 'index': {
      if (!Array.isArray(value)) return []
      const item: unknown = value.at(step.index)
      if (item === undefined)
        throw new Error(`array index out of bounds: index ${step.index}, length ${value.length}`)
      return [item]
    }
    case 'slice':
      return Array.isArray(value)
        ? value.slice(step.from, step.to).filter((_, index) => index % step.by === 0)
        : []
    case 'all':
      return childrenOf(value)
    case 'below':
      return [value, ...childrenOf(value).flatMap((child) => take(child, step, root))].filter(
        (one) => typeof one === 'object' && one !== null,
      )
    case 'any':
      return step.paths.flatMap((path) => valuesAt(path, value, root))
    case 'where':
      return (Array.isArray(value) ? value : []).filter((item) => isTrue(step, item, root))
  }
}

const childrenOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value
  if (!isMembers(value)) return []
  return Object.keys(value)
    .toSorted()
    .map((key) => value[key])
}

const isTrue = (
  { left, test, right }: Extract<Step, { type: 'where' }>,
  item: unknown,
  root: unknown,
): boolean => {
  const resolve = (operand: Operand): unknown =>
    'steps' in operand ? valuesAt(operand, operand.isRoot ? root : item, root)[0] : operand.value
  const a = resolve(left)
  if (test === '') return a !== undefined
  const b = resolve(right)
  if (a === undefined || typeof a !== typeof b) return false
  switch (test) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return (a as number) < (b as number)
    case '<=':
      return (a as number) <= (b as number)
    case '>':
      return (a as number) > (b as number)
    default:
      return (a as number) >= (b as number)
  }
}
