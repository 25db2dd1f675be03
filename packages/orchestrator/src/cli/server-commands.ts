// `balsa api-resources`, `cluster-info`, `auth can-i` and `whoami`: what is served, where, what is allowed, and to whom.
import type { Command } from 'commander'
import { printAllowed } from './allowed-rules.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findNamed } from './discovery.ts'
import { TablePrinter } from './table-text.ts'
import { runVerb } from './verb-failure.ts'

interface CanIOptions extends SessionOptions {
  readonly list?: boolean
  readonly headers: boolean
  readonly quiet?: boolean
  readonly allNamespaces?: boolean
  readonly subresource?: string
}
interface SelfReview {
  readonly status?: {
    readonly userInfo?: {
      readonly username?: string
      readonly uid?: string
      readonly groups?: readonly string[]
      readonly extra?: Readonly<Record<string, readonly string[]>>
    }
  }
}
interface Review {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string }
}

const knownVerbs = new Set(
  'get list watch create update patch delete deletecollection use bind impersonate approve sign escalate attest *'.split(
    ' ',
  ),
)

export const registerServerCommands = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('api-resources'))
    .description('show what the server serves')
    .action((options: SessionOptions) => runVerb(() => apiResources(options)))
  withSession(program.command('cluster-info'))
    .description('say where the server is')
    .action((options: SessionOptions) => runVerb(() => clusterInfo(options)))
  const auth = program.command('auth').description('what is allowed')
  withSession(auth.command('can-i'))
    .description('say whether this user may')
    .argument('[words...]', 'VERB, then RESOURCE, RESOURCE/NAME, or a path such as /metrics')
    .option('--list', 'all that this user may')
    .option('--no-headers', 'with --list: leave out the first line')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('--subresource <name>', 'such as log or scale')
    .option('-q, --quiet', 'print nothing; the exit code says it')
    .action((words: string[], options: CanIOptions) => runVerb(() => canI(words, options)))
  withSession(auth.command('whoami'))
    .description('say who this user is')
    .action((options: SessionOptions) => runVerb(() => whoAmI(options)))
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

const clusterInfo = async (options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  const services = { group: '', version: 'v1', plural: 'services' }
  // Asked as kubectl asks: whoever may not see it does not learn where the server is either.
  const { items } = await session.client.list(services, {
    namespace: 'kube-system',
    labelSelector: 'kubernetes.io/cluster-service=true',
  })
  const { url } = session.server
  const lines = [
    `Kubernetes control plane is running at ${url}`,
    ...items.map(
      ({ metadata: { name } }) =>
        `${name} is running at ${url}/api/v1/namespaces/kube-system/services/${name}/proxy`,
    ),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

const canI = async (words: readonly string[], options: CanIOptions): Promise<void> => {
  const [verb, word, ...others] = words
  if (options.list === true) {
    if (verb !== undefined) throw new Error('list option must be specified with no arguments')
    using session = new ApiSession(options)
    await printAllowed(session, options.headers)
    return
  }
  if (verb === undefined || word === undefined || others.length > 0)
    throw new Error(
      `you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'balsa auth can-i -h' for help and examples.`,
    )
  using session = new ApiSession(options)
  const spec = word.startsWith('/')
    ? { nonResourceAttributes: { verb, path: word } }
    : { resourceAttributes: await attributes(session, verb, word, options) }
  const review = (await session.transport.json({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
  })) as unknown as Review
  const isAllowed = review.status?.allowed === true
  if (options.quiet !== true) process.stdout.write(isAllowed ? 'yes\n' : 'no\n')
  if (!isAllowed) process.exitCode = 1
}

const whoAmI = async (options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  const { status } = (await session.transport.json({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  })) as SelfReview
  const { username = '', uid = '', groups = [], extra = {} } = status?.userInfo ?? {}
  const listText = (list: readonly string[]): string => `[${list.join(' ')}]`
  const cells = [
    ['Username', username],
    ...(uid === '' ? [] : [['UID', uid]]),
    ...(groups.length === 0 ? [] : [['Groups', listText(groups)]]),
    ...Object.entries(extra).map(([key, values]) => [`Extra: ${key}`, listText(values)]),
  ]
  const columnDefinitions = ['Attribute', 'Value'].map((name) => ({ name }))
  const rows = cells.map((each) => ({ cells: each }))
  process.stdout.write(new TablePrinter({}).text({ kind: 'Table', columnDefinitions, rows }))
}

const attributes = async (
  session: ApiSession,
  verb: string,
  word: string,
  { allNamespaces, subresource }: CanIOptions,
): Promise<Record<string, string>> => {
  const [type = '', name] = word.split('/')
  const found = type === '*' ? undefined : findNamed(await session.served(), type.toLowerCase())
  if (found === undefined && type !== '*') warn(`the server doesn't have a resource type '${type}'`)
  if (!knownVerbs.has(verb)) warn(`verb '${verb}' is not a known verb`)
  const isScoped = allNamespaces !== true
  const { group, version, plural } = found?.ref ?? {
    group: type === '*' ? '*' : '',
    version: '*',
    plural: type,
  }
  if (isScoped && found?.namespaced === false)
    warn(
      `resource '${plural}' is not namespace scoped${group === '' ? '' : ` in group '${group}'`}`,
    )
  return {
    verb,
    group,
    version,
    resource: plural,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(isScoped ? { namespace: session.namespace } : {}),
  }
}

/** The answer is asked for all the same: rights may be given for what is not there. */
const warn = (text: string): void => void process.stderr.write(`Warning: ${text}\n\n`)
