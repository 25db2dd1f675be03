// YAML bodies to JSON values. Hostile text ends in a BadRequest: nesting is counted before anything recursive sees it, since a stack that is
// almost full can end the whole process and not only the call.
import type { CST, Document } from 'yaml'
import { ApiError } from '../../client/api-client.ts'
import { yaml } from '../../client/yaml.ts'
import type { Json } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'

/** Aliases of a YAML document may not blow it up. */
const yamlAliasesMax = 50
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
  const { value: document } = compose(text).next()
  return (document?.errors ?? []).filter(isDuplicate).map(({ pos: [at] }) => {
    const before = text.slice(0, at)
    const [, key = ''] = /^["']?([^"':,}\n]*)/.exec(text.slice(at)) ?? []
    return `line ${before.split('\n').length}: key ${JSON.stringify(key.trim())} already set in map`
  })
}

const compose = (text: string): Generator<Document.Parsed, void, unknown> => {
  const { Composer } = yaml()
  return new Composer({
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => !isTimestamp(tag)),
  }).compose(tokensOf(text))
}

/** The last of them counts, as in JSON. */
const isDuplicate = ({ code }: { readonly code: string }): boolean => code === 'DUPLICATE_KEY'

function yamlOf(text: string): Json {
  try {
    const documents = compose(text)
    const { value: document } = documents.next()
    if (document === undefined) return null
    const error = document.errors.find((one) => !isDuplicate(one))
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

function* tokensOf(text: string): Generator<CST.Token, void> {
  const { Lexer, Parser } = yaml()
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > yamlDepthMax) {
      throw badRequest(`the document is nested deeper than ${yamlDepthMax} levels`)
    }
  }
  yield* parser.end()
}

const isTimestamp = (tag: unknown): boolean =>
  typeof tag === 'object' &&
  tag !== null &&
  'tag' in tag &&
  tag.tag === 'tag:yaml.org,2002:timestamp'
