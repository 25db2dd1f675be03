// How verbs that make objects send and print them: `--dry-run`, `-o`, and the namespace.
import { type Command, InvalidArgumentError } from 'commander'
import { collectionPath } from '../../client/http-api-client.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import type { ApiSession, SessionOptions } from '../api-session.ts'
import { findKind, type ServedResource } from '../discovery.ts'
import { outputForm, type OutputOptions, printResult, withOutput } from '../print/output-form.ts'
import { asGoWrites } from './as-go-writes.ts'
import type { Manifested } from './generator.ts'

export type DryRun = 'none' | 'client' | 'server'

export interface DryRunOptions {
  readonly dryRun: DryRun
}
export interface NewObjectOptions extends SessionOptions, OutputOptions, DryRunOptions {
  readonly fieldManager: string
}

export const withDryRun = (command: Command): Command =>
  command.option('--dry-run [where]', 'client or server: change nothing', parseDryRun, 'none')

/** Adds the flags that createObject() reads. */
export const withNewObject = (command: Command): Command =>
  withDryRun(withOutput(command)).option(
    '--field-manager <name>',
    'who is said to own the fields',
    `balsa-${command.name()}`,
  )

const parseDryRun = (text: string): DryRun => {
  if (text === 'none' || text === 'client' || text === 'server') return text
  throw new InvalidArgumentError(
    `Invalid dry-run value (${text}). Must be "none", "server", or "client".`,
  )
}

/** As a query of a request: what `--dry-run=server` asks for. */
export const dryRunQuery = ({ dryRun }: DryRunOptions): { readonly dryRun?: string } =>
  dryRun === 'server' ? { dryRun: 'All' } : {}

/** Creates the object, unless that is only tried, and prints what was done. Rejects with ApiError. */
export const createObject = async (
  session: ApiSession,
  object: Manifested,
  options: NewObjectOptions,
  done = 'created',
): Promise<void> => {
  // What cannot be printed is not made.
  outputForm(options, false)
  const resource = findKind(await session.served(), object.apiVersion, object.kind)
  if (resource === undefined)
    throw new Error(
      `no matches for kind ${JSON.stringify(object.kind)} in version ${JSON.stringify(object.apiVersion)}`,
    )
  if (options.dryRun === 'client') {
    const placed = options.namespace === undefined ? object : inNamespace(object, resource, session)
    printResult({ resource, object: asGoWrites(placed), done }, options)
    return
  }
  const body = inNamespace(object, resource, session)
  const answer = await session.transport.json({
    method: 'POST',
    path: collectionPath(resource.ref, session.namespaceOf(resource)),
    query: { fieldManager: options.fieldManager, ...dryRunQuery(options) },
    body: body as unknown as Json,
  })
  printResult({ resource, object: answer as unknown as KubeObject, done }, options)
}

const inNamespace = (
  object: Manifested,
  resource: ServedResource,
  session: ApiSession,
): Manifested =>
  resource.namespaced
    ? { ...object, metadata: { ...object.metadata, namespace: session.namespace } }
    : object
