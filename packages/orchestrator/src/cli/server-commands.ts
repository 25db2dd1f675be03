// `balsa api-resources`, `create` and `auth can-i`: what is served, what is new, what is allowed.
import type { Command } from 'commander'
import { collectionPath } from '../client/http-api-client.ts'
import { placed } from './apply-command.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findResources, objectLabel } from './discovery.ts'
import { readManifests } from './manifest-files.ts'
import { TablePrinter } from './table-text.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface CreateOptions extends SessionOptions {
  readonly filename: readonly string[]
}
interface Review {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string }
}

export const registerServerCommands = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('api-resources'))
    .description('show what the server serves')
    .action((options: SessionOptions) => runVerb(() => apiResources(options)))
  withSession(program.command('create'))
    .description('create the objects of manifests')
    .requiredOption('-f, --filename <path...>', 'manifests: files, folders, or - for stdin')
    .action((options: CreateOptions) => runVerb(() => create(options)))
  const auth = program.command('auth').description('what is allowed')
  withSession(auth.command('can-i'))
    .description('say whether this user may')
    .argument('<verb>')
    .argument('<resource>', 'RESOURCE, RESOURCE/NAME, or a path such as /metrics')
    .action((verb: string, resource: string, options: SessionOptions) =>
      runVerb(() => canI(verb, resource, options)),
    )
}

const apiResources = async (options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  const rows = (await session.served()).map(({ ref, shortNames, namespaced, kind }) => ({
    cells: [
      ref.plural,
      shortNames.join(','),
      ref.group === '' ? ref.version : `${ref.group}/${ref.version}`,
      String(namespaced),
      kind,
    ],
  }))
  const columns = ['Name', 'ShortNames', 'APIVersion', 'Namespaced', 'Kind']
  const columnDefinitions = columns.map((name) => ({ name }))
  process.stdout.write(new TablePrinter({}).text({ kind: 'Table', columnDefinitions, rows }))
}

const create = async (options: CreateOptions): Promise<void> => {
  const manifests = readManifests(options.filename)
  using session = new ApiSession(options)
  const served = await session.served()
  for (const manifest of manifests) {
    const doing = `error when creating ${JSON.stringify(manifest.source)}`
    try {
      const { resource, object } = placed(manifest, { session, served, asked: options.namespace })
      const path = collectionPath(resource.ref, object.metadata.namespace)
      const query = { fieldManager: 'balsa-create', fieldValidation: 'Strict' }
      const body = object as unknown as Parameters<typeof session.transport.json>[0]['body'] & {}
      const answer = await session.transport.json({ method: 'POST', path, query, body })
      const { metadata } = answer as unknown as { metadata: { name: string } }
      process.stdout.write(`${objectLabel(resource, metadata.name)} created\n`)
    } catch (reason) {
      reportFailure(reason, doing)
    }
  }
}

const canI = async (verb: string, word: string, options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  const spec = word.startsWith('/')
    ? { nonResourceAttributes: { verb, path: word } }
    : { resourceAttributes: await attributes(session, verb, word) }
  const review = (await session.transport.json({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
  })) as unknown as Review
  const isAllowed = review.status?.allowed === true
  process.stdout.write(isAllowed ? 'yes\n' : 'no\n')
  if (!isAllowed) process.exitCode = 1
}

const attributes = async (
  session: ApiSession,
  verb: string,
  word: string,
): Promise<Record<string, string>> => {
  const [type = '', name] = word.split('/')
  const [resource] = findResources(await session.served(), type)
  if (resource === undefined) throw new Error(`the server doesn't have a resource type "${type}"`)
  const { group, version, plural } = resource.ref
  const namespace = session.namespaceOf(resource)
  return {
    verb,
    group,
    version,
    resource: plural,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}
