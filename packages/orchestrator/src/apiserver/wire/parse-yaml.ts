// YAML bodies to JSON values. Hostile text ends in a BadRequest: nesting is counted before anything recursive sees it, since a stack that is
// almost full can end the whole process and not only the call.
import type { CST, Document, LineCounter } from 'yaml'
import { ApiError } from '../../client/api-client.ts'
import { yaml } from '../../client/yaml.ts'
import type { Json } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'

/** Aliases of a YAML document may not blow it up. */
const yamlAliasesMax = 50
/** Each of them is looked for among all. */
const aliasTokensMax = 1000
const directivesMax = 100
/** Of all kinds, spaces and ends of lines too. A second's work, which holds up everybody. */
const lexemesMax = 500_000
const duplicatesMax = 100
/** Levels; far more than any manifest has. */
const yamlDepthMax = 200

/** YAML 1.1 as Kubernetes reads it: `yes` and `on` are booleans, but no value becomes a date. JSON is YAML too. Throws BadRequest. */
export function parseYaml(text: string): Json {
  return jsonOf(text) ?? yamlOf(text)
}

/** What kubectl sends as YAML is JSON, which is read much faster so. */
function jsonOf(text: string): Json | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    // JSON.parse makes nothing but JSON.
    return JSON.parse(text) as Json
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}

/** Keys that a document names twice, as upstream tells of them: `line 11: key "foo" already set in map`. The text has been parsed before. */
export function yamlDuplicates(text: string): string[] {
  const { LineCounter } = yaml()
  const lines = new LineCounter()
  const { value: document } = compose(text, lines).next()
  const found: string[] = []
  collectDuplicates(document?.contents, (key, at) => {
    if (found.length >= duplicatesMax) return
    found.push(`line ${lines.linePos(at).line}: key ${JSON.stringify(key)} already set in map`)
  })
  return found
}

/** The library compares each key with all that came before it. */
const collectDuplicates = (node: unknown, onFound: (key: string, at: number) => void): void => {
  const { isMap, isScalar, isSeq } = yaml()
  if (isSeq(node)) for (const item of node.items) collectDuplicates(item, onFound)
  if (!isMap(node)) return
  const keys = new Set<unknown>()
  for (const { key, value } of node.items) {
    if (isScalar(key)) {
      if (keys.has(key.value)) onFound(String(key.value), key.range?.[0] ?? 0)
      keys.add(key.value)
    }
    collectDuplicates(value, onFound)
  }
}

const compose = (text: string, lines?: LineCounter): Generator<Document.Parsed, void, unknown> => {
  const { Composer } = yaml()
  return new Composer({
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => !isTimestamp(tag)),
    // The last of them counts, as in JSON.
    uniqueKeys: false,
  }).compose(tokensOf(text, lines))
}

function yamlOf(text: string): Json {
  try {
    const documents = compose(text)
    const { value: document } = documents.next()
    if (document === undefined) return null
    const [error] = document.errors
    if (error !== undefined) throw error
    if (documents.next().done !== true) throw new Error('a body holds one document only')
    const value: unknown = document.toJS({ maxAliasCount: yamlAliasesMax })
    // Through JSON, so that what is no JSON (maps with other keys, sets, undefined) cannot come in.
    return JSON.parse(JSON.stringify(value ?? null)) as Json
  } catch (reason) {
    if (reason instanceof ApiError) throw reason
    const message =
      reason instanceof Error ? (reason.message.split('\n', 1)[0] ?? '') : String(reason)
    throw badRequest(`error converting YAML to JSON: yaml: ${message}`)
  }
}

function* tokensOf(text: string, lines: LineCounter | undefined): Generator<CST.Token, void> {
  const { Lexer, Parser } = yaml()
  const parser = new Parser(lines?.addNewLine)
  lines?.addNewLine(0)
  const counts = { lexemes: 0, aliases: 0, directives: 0 }
  let before = ''
  for (const lexeme of new Lexer().lex(text)) {
    counts.lexemes++
    if (lexeme.startsWith('*') && before !== scalarMark) counts.aliases++
    before = lexeme
    for (const token of parser.next(lexeme)) {
      if (token.type === 'directive') counts.directives++
      yield token
    }
    checkCounts(counts)
    if (parser.stack.length > yamlDepthMax) {
      throw badRequest(`the document is nested deeper than ${yamlDepthMax} levels`)
    }
  }
  yield* parser.end()
}

/** Before the text of a scalar. */
const scalarMark = '\x1f'

const checkCounts = (counts: {
  readonly lexemes: number
  readonly aliases: number
  readonly directives: number
}): void => {
  if (counts.aliases > aliasTokensMax) throw new Error('document contains excessive aliasing')
  if (counts.lexemes > lexemesMax || counts.directives > directivesMax)
    throw new Error('document has too many parts: send it as JSON')
}

const isTimestamp = (tag: unknown): boolean =>
  typeof tag === 'object' &&
  tag !== null &&
  'tag' in tag &&
  tag.tag === 'tag:yaml.org,2002:timestamp'
