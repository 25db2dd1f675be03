// `balsa config`: shows what a kubeconfig holds, and changes which context of it is used.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { parse, parseDocument, stringify } from 'yaml'
import { findKubeconfig } from '../client/kubeconfig-file.ts'
import type { SessionOptions } from './api-session.ts'
import { sortKeys } from './sorted-json.ts'
import { TablePrinter } from './table-text.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface Named<Member extends string> {
  readonly name: string
  readonly member: Member
  readonly fields: Readonly<Record<string, unknown>>
}
interface Config {
  readonly path: string
  readonly current: string
  readonly clusters: readonly Named<'cluster'>[]
  readonly contexts: readonly Named<'context'>[]
  readonly users: readonly Named<'user'>[]
}
interface ViewOptions extends SessionOptions {
  readonly minify?: boolean
  readonly raw?: boolean
  readonly flatten?: boolean
  readonly output: string
}
interface ContextsOptions extends SessionOptions {
  readonly output?: string
  readonly headers: boolean
}
interface SetContextOptions extends SessionOptions {
  readonly current?: boolean
  readonly cluster?: string
  readonly user?: string
}

export const registerConfigCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const config = program.command('config').description('show and change the kubeconfig')
  const verb = (name: string, text: string): Command =>
    withSession(config.command(name)).description(text)
  verb('view', 'show it')
    .option('--minify', 'only the context that is used, its cluster and its user')
    .option('--raw', 'with keys, tokens and certificates')
    .option('--flatten', 'the same: files are not read in')
    .option('-o, --output <form>', 'yaml or json', 'yaml')
    .action((options: ViewOptions) => runVerb(async () => view(options)))
  verb('get-contexts', 'show its contexts')
    .argument('[names...]')
    .option('-o, --output <form>', 'name')
    .option('--no-headers', 'leave out the first line')
    .action((names: string[], options: ContextsOptions) =>
      runVerb(async () => showContexts(names, options)),
    )
  verb('current-context', 'say which context is used').action((options: SessionOptions) =>
    runVerb(async () => {
      const { current } = read(options)
      if (current === '') throw new Error('current-context is not set')
      process.stdout.write(`${current}\n`)
    }),
  )
  verb('use-context', 'use another context from now on')
    .argument('<name>')
    .action((name: string, options: SessionOptions) => runVerb(async () => use(name, options)))
  verb('set-context', 'make a context, or change one')
    .argument('[name]')
    .option('--current', 'the one that is used')
    .option('--cluster <name>')
    .option('--user <name>')
    .action((name: string | undefined, options: SetContextOptions) =>
      runVerb(async () => setContext(name, options)),
    )
  for (const list of ['clusters', 'users'] as const) {
    verb(`get-${list}`, `show the names of its ${list}`).action((options: SessionOptions) =>
      runVerb(async () => {
        const names = read(options)[list].map(({ name }) => name)
        process.stdout.write(['NAME', ...names].map((name) => `${name}\n`).join(''))
      }),
    )
  }
}

const read = (options: SessionOptions): Config => {
  const path = findKubeconfig(options)
  const document: unknown = parse(readFileSync(path, 'utf8'))
  const fields = isFields(document) ? document : {}
  const { 'current-context': current } = fields
  return {
    path,
    current: typeof current === 'string' ? current : '',
    clusters: namedIn(fields['clusters'], 'cluster'),
    contexts: namedIn(fields['contexts'], 'context'),
    users: namedIn(fields['users'], 'user'),
  }
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const namedIn = <Member extends string>(list: unknown, member: Member): Named<Member>[] => {
  const items: readonly unknown[] = Array.isArray(list) ? list : []
  return items
    .filter(isFields)
    .map((item) => {
      const fields = item[member]
      return { name: textOf(item, 'name'), member, fields: isFields(fields) ? fields : {} }
    })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

const textOf = (fields: Readonly<Record<string, unknown>>, key: string): string => {
  const value = fields[key]
  return typeof value === 'string' ? value : ''
}

const hidden: Readonly<Record<string, string>> = {
  'certificate-authority-data': 'DATA+OMITTED',
  'client-certificate-data': 'DATA+OMITTED',
  'client-key-data': 'DATA+OMITTED',
  token: 'REDACTED',
  password: 'REDACTED',
}
/** Fields that are shown even where they are not set. */
const alwaysShown: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cluster: { server: '' },
  context: { cluster: '', user: '' },
}
/** Where fields stand in JSON; in YAML they stand in the order of their names. */
const fieldOrder = [
  'server',
  'insecure-skip-tls-verify',
  'certificate-authority',
  'certificate-authority-data',
  'cluster',
  'user',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
]

const view = (options: ViewOptions): void => {
  const whole = read(options)
  const current = options.context ?? whole.current
  const config = options.minify === true ? minified(whole, current) : whole
  const isOpen = options.raw === true || options.flatten === true
  const shown = (list: readonly Named<string>[]): readonly unknown[] =>
    list.map(({ name, member, fields }) => ({
      name,
      [member]: Object.fromEntries(
        Object.entries({ ...alwaysShown[member], ...fields })
          .map(([key, value]) => [key, isOpen ? value : (hidden[key] ?? value)] as const)
          .toSorted(([left], [right]) => placeOf(left) - placeOf(right)),
      ),
    }))
  const value = {
    kind: 'Config',
    apiVersion: 'v1',
    preferences: {},
    clusters: shown(config.clusters),
    users: shown(config.users),
    contexts: shown(config.contexts),
    'current-context': current,
  }
  if (options.output !== 'yaml' && options.output !== 'json')
    throw new Error(
      `unable to match a printer suitable for the output format ${JSON.stringify(options.output)}, allowed formats are: json,yaml`,
    )
  process.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify(value, undefined, 4)}\n`
      : stringify(sortKeys(value), { version: '1.1', lineWidth: 0, indentSeq: false }),
  )
}

const placeOf = (key: string): number => {
  const place = fieldOrder.indexOf(key)
  return place < 0 ? fieldOrder.length : place
}

const minified = (config: Config, current: string): Config => {
  const context = config.contexts.find(({ name }) => name === current)
  if (context === undefined) throw new Error(`cannot locate context ${current}`)
  const cluster = textOf(context.fields, 'cluster')
  const user = textOf(context.fields, 'user')
  return {
    ...config,
    contexts: [context],
    clusters: config.clusters.filter(({ name }) => name === cluster),
    users: config.users.filter(({ name }) => name === user),
  }
}

const showContexts = (names: readonly string[], options: ContextsOptions): void => {
  const { contexts, current } = read(options)
  const wanted = contexts.filter(({ name }) => names.length === 0 || names.includes(name))
  if (options.output === 'name') {
    for (const { name } of wanted) process.stdout.write(`${name}\n`)
  } else {
    const columns = ['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']
    const rows = wanted.map(({ name, fields }) => [
      name === current ? '*' : '',
      name,
      ...['cluster', 'user', 'namespace'].map((key) => textOf(fields, key)),
    ])
    const cells = options.headers ? [columns, ...rows] : rows
    const table = {
      kind: 'Table',
      columnDefinitions: columns.map((name) => ({ name })),
      rows: cells.map((each) => ({ cells: each })),
    }
    process.stdout.write(new TablePrinter({ hasHeaders: false }).text(table))
  }
  for (const name of names.filter((one) => contexts.every((context) => context.name !== one)))
    reportFailure(new Error(`context ${name} not found`))
}

const use = (name: string, options: SessionOptions): void => {
  const { contexts, path } = read(options)
  if (contexts.every((context) => context.name !== name))
    throw new Error(`no context exists with the name: ${JSON.stringify(name)}`)
  const document = parseDocument(readFileSync(path, 'utf8'))
  document.set('current-context', name)
  write(path, document.toString({ lineWidth: 0 }))
  process.stdout.write(`Switched to context ${JSON.stringify(name)}.\n`)
}

const setContext = (asked: string | undefined, options: SetContextOptions): void => {
  const { contexts, current, path } = read(options)
  if (options.current === true && asked !== undefined)
    throw new Error('you cannot specify both a context name and --current')
  const name = options.current === true ? current : asked
  if (name === undefined) throw new Error('you must specify a non-empty context name or --current')
  if (name === '') throw new Error('no current context is set')
  const index = contextIndex(path, name)
  const document = parseDocument(readFileSync(path, 'utf8'))
  const { namespace, cluster, user } = options
  const fields = Object.entries({ cluster, namespace, user }).filter(
    ([, value]) => value !== undefined,
  )
  if (index < 0)
    document.addIn(['contexts'], document.createNode({ context: Object.fromEntries(fields), name }))
  else for (const [key, value] of fields) document.setIn(['contexts', index, 'context', key], value)
  write(path, document.toString({ lineWidth: 0 }))
  const isNew = contexts.every((context) => context.name !== name)
  process.stdout.write(`Context ${JSON.stringify(name)} ${isNew ? 'created' : 'modified'}.\n`)
}

/** Where the file itself has it. */
const contextIndex = (path: string, name: string): number => {
  const document: unknown = parse(readFileSync(path, 'utf8'))
  const list = isFields(document) ? document['contexts'] : undefined
  const items: readonly unknown[] = Array.isArray(list) ? list : []
  return items.findIndex((item) => isFields(item) && item['name'] === name)
}

/** Keys stand in it: nobody else reads it. */
const write = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o600 })
