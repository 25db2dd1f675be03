// `balsa get`: shows objects as the server's tables, or whole as JSON or YAML; `-w` goes on showing changes.
import type { Command } from 'commander'
import { ApiError } from '../client/api-client.ts'
import { collectionPath, objectPath } from '../client/http-api-client.ts'
import { parseJson, statusError } from '../client/http-transport.ts'
import type { HttpRequest } from '../client/http-transport.ts'
import type { Json, KubeObject } from '../resources/object.ts'
import { ApiSession } from './api-session.ts'
import type { SessionOptions } from './api-session.ts'
import { objectLabel, typeLabel } from './discovery.ts'
import { parseObjectArguments } from './object-arguments.ts'
import type { ObjectArgument } from './object-arguments.ts'
import { customColumnsText, sortedBy } from './print/custom-columns.ts'
import { type OutputForm, outputForm, type OutputOptions, withOutput } from './print/output-form.ts'
import { selectedObjects } from './selected-objects.ts'
import { TablePrinter } from './table-text.ts'
import type { Table } from './table-text.ts'
import { BareError, reportFailure, runVerb } from './verb-failure.ts'

interface GetOptions extends SessionOptions, OutputOptions {
  readonly allNamespaces?: boolean
  readonly filename?: readonly string[]
  readonly watch?: boolean
  readonly watchOnly?: boolean
  readonly outputWatchEvents?: boolean
  readonly sortBy?: string
  readonly labelColumns?: readonly string[]
  readonly showKind?: boolean
  readonly chunkSize: number
  readonly subresource?: string
  readonly raw?: string
  readonly selector?: string
  readonly fieldSelector?: string
  readonly headers: boolean
  readonly showLabels?: boolean
  readonly ignoreNotFound?: boolean
}

const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export const registerGetCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withOutput(withSession(program.command('get')))
    .description('show objects')
    .argument('[words...]', 'RESOURCE, RESOURCE NAME..., or RESOURCE/NAME...')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
    .option('-w, --watch', 'go on showing changes')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .option('--field-selector <fields>', 'only objects with these fields')
    .option('--no-headers', 'leave out the first line')
    .option('--show-labels', 'add a column with all labels')
    .option('-L, --label-columns <names>', 'add a column for each of these labels', addNames)
    .option('--show-kind', 'put the kind before names')
    .option('--sort-by <path>', 'in order of what this JSONPath leads to')
    .option('--watch-only', 'show changes, and not what is there before')
    .option('--output-watch-events', 'say with each change whether it is ADDED, MODIFIED, DELETED')
    .option('--chunk-size <n>', 'objects that are asked for at a time; 0: all', Number, 500)
    .option('--subresource <name>', 'status or scale')
    .option('--raw <path>', 'print what the server answers at this path')
    .option('--ignore-not-found', 'exit 0 when a named object does not exist')
    .action((words: string[], options: GetOptions) => runVerb(() => get(words, options)))
}

const addNames = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(','),
]

const get = async (words: readonly string[], options: GetOptions): Promise<void> => {
  const form = outputForm(options, true)
  using session = new ApiSession(options)
  if (options.raw !== undefined) {
    process.stdout.write(await rawAnswer(session, options.raw))
    return
  }
  const { filename } = options
  if (words.length === 0 && filename === undefined) throw new BareError(nothingAsked)
  const targets =
    filename === undefined
      ? parseObjectArguments(await session.served(), words)
      : await selectedObjects(session, { words, filename, namespace: options.namespace })
  // Awaited, not returned: the session lives until they are done.
  if (options.watch === true || options.watchOnly === true)
    await watch(session, targets, { options, form })
  else if (form.type === 'table' || form.type === 'wide')
    await printTables(session, targets, options)
  else await printObjects(session, targets, { options, form })
}

const nothingAsked = `You must specify the type of resource to get. Use "balsa api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "balsa explain <resource>" for a detailed description of that resource (e.g. balsa explain pods).
See 'balsa get -h' for help and examples`

const rawAnswer = (session: ApiSession, raw: string): Promise<string> => {
  const url = new URL(raw, 'https://server')
  return session.transport.text({
    method: 'GET',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    accept: 'application/json, */*',
  })
}

const printTables = async (
  session: ApiSession,
  targets: readonly ObjectArgument[],
  options: GetOptions,
): Promise<void> => {
  const groups = byResource(targets)
  let printed = 0
  for (const group of groups) {
    const tables: Table[] = []
    for (const target of group) {
      const table = await missingIsReported(options, () => wholeTable(session, target, options))
      if (table !== undefined) tables.push(table)
    }
    const [first] = tables
    if (first === undefined) continue
    const all = tables.flatMap((table) => table.rows ?? [])
    const rows =
      options.sortBy === undefined ? all : sortedBy(options.sortBy, all, ({ object }) => object)
    const isMixed = groups.length > 1 || options.showKind === true
    const text = tablePrinter(group, isMixed, options).text({ ...first, rows })
    if (text === '') continue
    process.stdout.write(printed === 0 ? text : `\n${text}`)
    printed++
  }
  if (printed === 0 && targets.every(({ name }) => name === undefined))
    sayNothingFound(session, targets, options)
}

const sayNothingFound = (
  session: ApiSession,
  targets: readonly ObjectArgument[],
  options: GetOptions,
): void => {
  const isScoped =
    options.allNamespaces !== true && targets.some(({ resource }) => resource.namespaced)
  process.stderr.write(
    isScoped ? `No resources found in ${session.namespace} namespace.\n` : 'No resources found\n',
  )
}

const tablePrinter = (
  group: readonly ObjectArgument[],
  isMixed: boolean,
  options: GetOptions,
): TablePrinter => {
  const resource = group[0]?.resource
  return new TablePrinter({
    isWide: options.output === 'wide',
    hasHeaders: options.headers,
    hasLabels: options.showLabels === true,
    ...(options.labelColumns === undefined ? {} : { labelColumns: options.labelColumns }),
    hasNamespaces: options.allNamespaces === true && resource?.namespaced === true,
    namePrefix: isMixed && resource !== undefined ? `${typeLabel(resource)}/` : '',
  })
}

/** Targets of one kind stand in one table. */
const byResource = (targets: readonly ObjectArgument[]): ObjectArgument[][] => {
  const groups = new Map<string, ObjectArgument[]>()
  for (const target of targets) {
    const key = typeLabel(target.resource)
    groups.set(key, [...(groups.get(key) ?? []), target])
  }
  return [...groups.values()]
}

/** All pages of a table as one. */
const wholeTable = async (
  session: ApiSession,
  target: ObjectArgument,
  options: GetOptions,
): Promise<Table> => {
  const request = requestFor(session, target, options)
  const first = (await session.transport.json({
    ...request,
    accept: tableType,
  })) as unknown as Table
  const rows = [...(first.rows ?? [])]
  let next = first.metadata?.continue ?? ''
  while (next !== '') {
    const page = (await session.transport.json({
      ...request,
      accept: tableType,
      query: { ...request.query, continue: next },
    })) as unknown as Table
    rows.push(...(page.rows ?? []))
    next = page.metadata?.continue ?? ''
  }
  return { ...first, rows }
}

const requestFor = (
  session: ApiSession,
  { resource, name }: ObjectArgument,
  options: GetOptions,
): HttpRequest => {
  const namespace = options.allNamespaces === true ? undefined : session.namespaceOf(resource)
  // The rows' objects whole: what they are sorted by may be anywhere in them.
  const includeObject = options.sortBy === undefined ? undefined : 'Object'
  if (name !== undefined) {
    const place = session.namespaceOf(resource)
    const path = objectPath(resource.ref, place, name, options.subresource)
    return { method: 'GET', path, query: { includeObject } }
  }
  return {
    method: 'GET',
    path: collectionPath(resource.ref, namespace),
    query: {
      includeObject,
      limit: options.chunkSize === 0 ? undefined : options.chunkSize,
      labelSelector: options.selector,
      fieldSelector: options.fieldSelector,
    },
  }
}

interface Printing {
  readonly options: GetOptions
  readonly form: OutputForm
}

const printObjects = async (
  session: ApiSession,
  targets: readonly ObjectArgument[],
  { options, form }: Printing,
): Promise<void> => {
  const found: { readonly target: ObjectArgument; readonly object: KubeObject }[] = []
  for (const target of targets) {
    const objects = await missingIsReported(options, () => wholeObjects(session, target, options))
    for (const object of objects ?? []) found.push({ target, object })
  }
  const { sortBy } = options
  const sorted = sortBy === undefined ? found : sortedBy(sortBy, found, ({ object }) => object)
  const items = sorted.map(({ object }) => object)
  if (form.type === 'name') {
    for (const { target, object } of sorted) {
      process.stdout.write(`${objectLabel(target.resource, object.metadata.name ?? '')}\n`)
    }
    return
  }
  const isOne = targets.length === 1 && targets[0]?.name !== undefined
  if (isOne && items.length === 0) return
  if (form.type === 'columns')
    process.stdout.write(customColumnsText(form.columns, items, options.headers))
  if (form.type !== 'whole') return
  const value = isOne
    ? items[0]
    : { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } }
  process.stdout.write(form.text(value))
}

const wholeObjects = async (
  session: ApiSession,
  target: ObjectArgument,
  options: GetOptions,
): Promise<readonly KubeObject[]> => {
  const { resource, name } = target
  if (name !== undefined) {
    const { method, path } = requestFor(session, target, options)
    return [(await session.transport.json({ method, path })) as unknown as KubeObject]
  }
  const namespace = options.allNamespaces === true ? undefined : session.namespaceOf(resource)
  const items: KubeObject[] = []
  let next: string | undefined
  do {
    const page = await session.client.list(resource.ref, {
      ...(options.chunkSize === 0 ? {} : { limit: options.chunkSize }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
      ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
      ...(next === undefined ? {} : { continue: next }),
    })
    items.push(...page.items)
    next = page.continue
  } while (next !== undefined)
  return items
}

/** An object that is not there does not keep the others from being shown. */
const missingIsReported = async <T>(
  options: GetOptions,
  read: () => Promise<T>,
): Promise<T | undefined> => {
  try {
    return await read()
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.code !== 404) throw reason
    if (options.ignoreNotFound !== true) reportFailure(reason)
    return undefined
  }
}

/** Shows what is there, then every change until the server or the user ends it. */
const watch = async (
  session: ApiSession,
  targets: readonly ObjectArgument[],
  { options, form }: Printing,
): Promise<void> => {
  const [target, ...others] = targets
  if (target === undefined || others.length > 0) {
    throw new Error('you may only specify a single resource type with --watch')
  }
  const { resource, name } = target
  const isTable = form.type === 'table' || form.type === 'wide'
  const all: ObjectArgument = { resource, name: undefined }
  const selected: GetOptions =
    name === undefined ? options : { ...options, fieldSelector: `metadata.name=${name}` }
  const print = watchPrinter(target, { options, form })
  // Whole objects are not listed first: a watch from nowhere begins with what is there.
  const isListed = isTable || options.watchOnly === true
  const first = isListed ? await wholeTable(session, all, selected) : undefined
  if (first !== undefined && options.watchOnly !== true) print('ADDED', first as unknown as Json)
  const request = requestFor(session, all, selected)
  const { limit: _limit, ...query } = request.query ?? {}
  await new Promise<void>((resolve, reject) => {
    session.transport.stream(
      {
        ...request,
        ...(isTable ? { accept: tableType } : {}),
        query: { ...query, watch: true, resourceVersion: first?.metadata?.resourceVersion },
      },
      'line',
      {
        text: (line) => {
          const event = parseJson(line) as { type?: string; object?: Json } | undefined
          const { type = '', object } = event ?? {}
          if (object === undefined || type === 'BOOKMARK') return
          if (type === 'ERROR') reject(statusError(500, JSON.stringify(object)))
          else print(type, object)
        },
        ended: (error) => (error === undefined ? resolve() : reject(error)),
      },
    )
  })
}

/** Prints one event after the other. */
const watchPrinter = (
  target: ObjectArgument,
  { options, form }: Printing,
): ((type: string, object: Json) => void) => {
  const hasEvents = options.outputWatchEvents === true
  const printer = tablePrinter([target], options.showKind === true, options)
  const withEvent = (table: Table, type: string): Table => ({
    ...table,
    ...(table.columnDefinitions
      ? { columnDefinitions: [{ name: 'Event' }, ...table.columnDefinitions] }
      : {}),
    rows: (table.rows ?? []).map((row) => ({ ...row, cells: [type, ...row.cells] })),
  })
  let hasHeaders = options.headers
  const textOf = (type: string, object: Json): string => {
    if (form.type === 'table' || form.type === 'wide') {
      const table = object as unknown as Table
      return printer.text(hasEvents ? withEvent(table, type) : table)
    }
    if (form.type === 'name')
      return `${objectLabel(target.resource, (object as unknown as KubeObject).metadata.name ?? '')}\n`
    if (form.type === 'columns') {
      const text = customColumnsText(form.columns, [object], hasHeaders)
      hasHeaders = false
      return text
    }
    return form.separator + form.text(hasEvents ? { type, object } : object)
  }
  return (type, object) => {
    process.stdout.write(textOf(type, object))
  }
}
