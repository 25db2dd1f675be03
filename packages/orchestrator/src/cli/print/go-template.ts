// Go's text templates as far as command lines use them: fields, variables, if, range, with, pipelines, and the functions that kubectl has.
import { isMembers } from '../without-managed-fields.ts'
import { goText } from './json-path-template.ts'

type Term =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'field'; readonly variable: string; readonly path: readonly string[] }
  | { readonly type: 'call'; readonly name: string }
  | { readonly type: 'group'; readonly pipeline: Pipeline; readonly path: readonly string[] }
interface Pipeline {
  readonly variables: readonly string[]
  readonly commands: readonly (readonly Term[])[]
}
type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly pipeline: Pipeline }
  | {
      readonly type: 'if' | 'range' | 'with'
      readonly pipeline: Pipeline
      readonly nodes: readonly Node[]
      readonly otherwise: readonly Node[]
    }
interface Scope {
  readonly dot: unknown
  readonly variables: Map<string, unknown>
}

const depthMax = 50
const action = /\{\{(-\s)?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^}]|\}(?!\}))*?)(\s-)?\}\}/g

/** Makes the text of an object. Throws Error where the template is none. */
export const goTemplate = (template: string): ((object: unknown) => string) => {
  const parser = new Parser(tokens(template))
  const nodes = parser.nodes(0)
  return (object) => run(nodes, { dot: object, variables: new Map([['$', object]]) })
}

const bad = (why: string): Error => new Error(`error parsing template: ${why}`)

interface Part {
  readonly isText: boolean
  readonly text: string
}

const tokens = (template: string): Part[] => {
  const parts: Part[] = []
  let at = 0
  let trimsNext = false
  for (const match of template.matchAll(action)) {
    const [whole, before, inner = '', after] = match
    let text = template.slice(at, match.index)
    if (trimsNext) text = text.trimStart()
    if (before !== undefined) text = text.trimEnd()
    parts.push({ isText: true, text }, { isText: false, text: inner.trim() })
    trimsNext = after !== undefined
    at = match.index + whole.length
  }
  const rest = template.slice(at)
  if (rest.includes('{{')) throw bad('unclosed action')
  parts.push({ isText: true, text: trimsNext ? rest.trimStart() : rest })
  return parts.filter(({ isText, text }) => text !== '' && !(!isText && text.startsWith('/*')))
}

class Parser {
  readonly #parts: readonly Part[]
  #at = 0
  /** How the list of nodes that was read last ended: `end`, `else`, `else if ...`. */
  #ended = ''

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  nodes(depth: number): Node[] {
    if (depth > depthMax) throw bad('too many levels')
    const nodes: Node[] = []
    for (;;) {
      const part = this.#parts[this.#at++]
      if (part === undefined) {
        if (depth > 0) throw bad('unexpected EOF')
        return nodes
      }
      const { isText, text } = part
      if (isText) nodes.push({ type: 'text', text })
      else if (text === 'end' || /^else\b/.test(text)) {
        if (depth === 0) throw bad(`unexpected {{${text}}}`)
        this.#ended = text
        return nodes
      } else nodes.push(this.#node(text, depth))
    }
  }

  #node(text: string, depth: number): Node {
    const [, word, rest = ''] = /^(if|range|with)\s(.*)$/s.exec(text) ?? []
    if (word !== 'if' && word !== 'range' && word !== 'with')
      return { type: 'print', pipeline: parsePipeline(text) }
    const nodes = this.nodes(depth + 1)
    const next = /^else\s+((?:if|with)\s.*)$/s.exec(this.#ended)?.[1]
    let otherwise: Node[] = []
    if (next !== undefined) otherwise = [this.#node(next, depth + 1)]
    else if (this.#ended === 'else') otherwise = this.nodes(depth + 1)
    return { type: word, pipeline: parsePipeline(rest), nodes, otherwise }
  }
}

const word =
  /^(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|(-?\d+(?:\.\d+)?)|(\$\w*)?((?:\.[\w-]+)+)|(\$\w*)|(\.)|(\w+)|(\()|(\))|(\|)|(,)|(:?=))/

const parsePipeline = (text: string): Pipeline => {
  const words: RegExpExecArray[] = []
  for (let rest = text.trim(); rest !== '';) {
    const match = word.exec(rest)
    if (match === null) throw bad(`unexpected ${JSON.stringify(rest.charAt(0))} in operand`)
    words.push(match)
    rest = rest.slice(match[0].length).trimStart()
  }
  const declared = words.findIndex(([token]) => token === ':=' || token === '=')
  const variables = words
    .slice(0, Math.max(0, declared))
    .flatMap(([token]) => (token === ',' ? [] : [token]))
  const { pipeline, rest } = parseCommands(words.slice(declared + 1), 0)
  if (rest.length > 0) throw bad('unexpected ")"')
  return { ...pipeline, variables }
}

const parseCommands = (
  words: readonly RegExpExecArray[],
  depth: number,
): { readonly pipeline: Pipeline; readonly rest: readonly RegExpExecArray[] } => {
  if (depth > depthMax) throw bad('too many levels')
  const commands: Term[][] = [[]]
  let rest = words
  while (rest.length > 0) {
    const [match, ...others] = rest
    rest = others
    const [token, double, raw, number, variable = '.', path, alone, dot, name] = match ?? ['']
    if (token === ')') break
    const command = commands.at(-1) ?? []
    if (token === '|') commands.push([])
    else if (token === '(') {
      const inner = parseCommands(rest, depth + 1)
      rest = inner.rest
      command.push({ type: 'group', pipeline: inner.pipeline, path: [] })
    } else if (double !== undefined)
      command.push({ type: 'value', value: JSON.parse(`"${double}"`) as string })
    else if (raw !== undefined) command.push({ type: 'value', value: raw })
    else if (number !== undefined) command.push({ type: 'value', value: Number(number) })
    else if (path !== undefined) {
      const before = command.at(-1)
      const names = path.slice(1).split('.')
      if (before?.type === 'group' && variable === '.')
        command.splice(-1, 1, { ...before, path: names })
      else command.push({ type: 'field', variable, path: names })
    } else if (alone !== undefined || dot !== undefined)
      command.push({ type: 'field', variable: alone ?? '.', path: [] })
    else if (name !== undefined) command.push(nameTerm(name))
    else throw bad(`unexpected ${token}`)
  }
  return { pipeline: { variables: [], commands }, rest }
}

const constants: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null }
const nameTerm = (name: string): Term => {
  if (Object.hasOwn(constants, name)) return { type: 'value', value: constants[name] }
  if (!Object.hasOwn(functions, name)) throw bad(`function ${JSON.stringify(name)} not defined`)
  return { type: 'call', name }
}

const run = (nodes: readonly Node[], scope: Scope): string =>
  nodes
    .map((node) => {
      if (node.type === 'text') return node.text
      const value = valueOf(node.pipeline, scope)
      if (node.type === 'print') return node.pipeline.variables.length > 0 ? '' : printed(value)
      if (node.type === 'range') return runRange(node, value, scope)
      if (!isTrue(value)) return run(node.otherwise, scope)
      return run(node.nodes, node.type === 'if' ? scope : { ...scope, dot: value })
    })
    .join('')

const runRange = (
  node: Extract<Node, { type: 'if' | 'range' | 'with' }>,
  value: unknown,
  scope: Scope,
): string => {
  const entries: (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item] as const)
    : isMembers(value)
      ? Object.keys(value)
          .toSorted()
          .map((key) => [key, value[key]] as const)
      : []
  if (entries.length === 0) return run(node.otherwise, scope)
  const { variables: names } = node.pipeline
  return entries
    .map(([key, item]) => {
      const variables = new Map(scope.variables)
      const values = names.length > 1 ? [key, item] : [item]
      for (const [index, name] of names.entries()) variables.set(name, values[index])
      return run(node.nodes, { dot: item, variables })
    })
    .join('')
}

const printed = (value: unknown): string => (value === undefined ? '<no value>' : goText(value))

const valueOf = ({ variables, commands }: Pipeline, scope: Scope): unknown => {
  let value: unknown
  for (const [index, command] of commands.entries()) {
    const [first, ...others] = command
    if (first === undefined) throw bad('missing value for command')
    const before = index === 0 ? [] : [value]
    value =
      first.type === 'call'
        ? functions[first.name]?.(...others.map((term) => termValue(term, scope)), ...before)
        : termValue(first, scope)
  }
  for (const name of variables) scope.variables.set(name, value)
  return value
}

const termValue = (term: Term, scope: Scope): unknown => {
  if (term.type === 'value') return term.value
  if (term.type === 'call') return functions[term.name]?.()
  const start =
    term.type === 'group'
      ? valueOf(term.pipeline, scope)
      : term.variable === '.'
        ? scope.dot
        : scope.variables.get(term.variable)
  let value = start
  for (const name of term.path) {
    if (value !== undefined && value !== null && !isMembers(value))
      throw new Error(`error executing template: can't evaluate field ${name}`)
    value = isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return value
}

const isTrue = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.length > 0
  if (isMembers(value)) return Object.keys(value).length > 0
  return Boolean(value)
}

const order = (a: unknown, b: unknown): number =>
  typeof a === 'number' && typeof b === 'number'
    ? a - b
    : Number(goText(a) > goText(b)) - Number(goText(a) < goText(b))

type GoFunction = (...values: readonly unknown[]) => unknown

const functions: Readonly<Record<string, GoFunction>> = {
  and: (...values) => values.find((one) => !isTrue(one)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  eq: (value, ...others) => others.includes(value),
  ne: (a, b) => a !== b,
  lt: (a, b) => order(a, b) < 0,
  le: (a, b) => order(a, b) <= 0,
  gt: (a, b) => order(a, b) > 0,
  ge: (a, b) => order(a, b) >= 0,
  len: (value) =>
    Array.isArray(value) || typeof value === 'string'
      ? value.length
      : Object.keys(isMembers(value) ? value : {}).length,
  index: (value, ...keys) => keys.reduce(memberAt, value),
  exists: (value, ...keys) => keys.reduce(memberAt, value) !== undefined,
  print: (...values) => values.map(goText).join(''),
  println: (...values) => `${values.map(goText).join(' ')}\n`,
  printf: (form, ...values) => formatted(goText(form), values),
  html: (value) => goText(value),
  base64decode: (value) => Buffer.from(goText(value), 'base64').toString('utf8'),
}

const memberAt = (value: unknown, key: unknown): unknown => {
  if (Array.isArray(value)) {
    const item: unknown = value[Number(key)]
    if (item === undefined)
      throw new Error(`error executing template: index out of range: ${goText(key)}`)
    return item
  }
  return isMembers(value) && Object.hasOwn(value, goText(key)) ? value[goText(key)] : undefined
}

const formatted = (form: string, values: readonly unknown[]): string => {
  let next = 0
  return form.replaceAll(/%(-?)(\d*)([a-z%])/g, (_, minus: string, width: string, verb: string) => {
    if (verb === '%') return '%'
    const value = values[next++]
    const text = verb === 'q' ? JSON.stringify(goText(value)) : goText(value)
    return minus === '' ? text.padStart(Number(width)) : text.padEnd(Number(width))
  })
}
