// `balsa explain`: what the fields of a kind are, as the server's OpenAPI v3 documents tell.
import type { Command } from 'commander'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findNamed, type ServedResource } from './discovery.ts'
import { explain } from './explain/explain-text.ts'
import type { SchemaDocument } from './explain/schema-document.ts'
import { BareError, runVerb } from './verb-failure.ts'

interface ExplainOptions extends SessionOptions {
  readonly recursive?: boolean
  readonly apiVersion?: string
}
interface SchemaIndex {
  readonly paths?: Readonly<Record<string, { readonly serverRelativeURL: string }>>
}

export const registerExplainCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('explain'))
    .description('describe the fields of a kind')
    .argument('[type...]', 'RESOURCE, or RESOURCE.FIELD.FIELD')
    .option('--recursive', 'the names of all fields, all the way down')
    .option('--api-version <group/version>', 'of another version than the preferred one')
    .action((words: string[], options: ExplainOptions) =>
      runVerb(() => explainWords(words, options)),
    )
}

const explainWords = async (words: readonly string[], options: ExplainOptions): Promise<void> => {
  const [word, ...others] = words
  if (word === undefined)
    throw new Error(
      'You must specify the type of resource to explain. Use "balsa api-resources" for a complete list of supported resources.',
    )
  if (others.length > 0) throw new Error('We accept only this format: explain RESOURCE')
  using session = new ApiSession(options)
  const { resource, path } = split(await session.served(), word)
  const { ref, kind } = resource
  const preferred = ref.group === '' ? ref.version : `${ref.group}/${ref.version}`
  const asked = options.apiVersion ?? preferred
  const [version = '', group = ''] = asked.split('/').toReversed()
  const document = await readDocument(session, group === '' ? `api/${version}` : `apis/${asked}`)
  const explained =
    document &&
    explain(document, {
      kind: { group, version, kind },
      path,
      isRecursive: options.recursive === true,
    })
  if (explained === undefined)
    throw new Error(`couldn't find resource for "${group}/${version}, Resource=${ref.plural}"`)
  process.stdout.write(explained.text)
  if (explained.error !== undefined) throw new Error(explained.error)
}

/** The longest beginning that names a resource; the rest are fields. */
const split = (
  served: readonly ServedResource[],
  word: string,
): { readonly resource: ServedResource; readonly path: readonly string[] } => {
  const words = word.split('.')
  for (let count = words.length; count > 0; count--) {
    const resource = findNamed(served, words.slice(0, count).join('.'))
    if (resource !== undefined)
      return { resource, path: words.slice(count).filter((name) => name !== '') }
  }
  throw new BareError(`the server doesn't have a resource type ${JSON.stringify(words[0])}`)
}

/** undefined: the server has no such version. */
const readDocument = async (
  session: ApiSession,
  name: string,
): Promise<SchemaDocument | undefined> => {
  const { transport } = session
  const index = (await transport.json({ method: 'GET', path: '/openapi/v3' })) as SchemaIndex
  const path = index.paths?.[name]?.serverRelativeURL
  if (path === undefined) return undefined
  return (await transport.json({ method: 'GET', path })) as unknown as SchemaDocument
}
