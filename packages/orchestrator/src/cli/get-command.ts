// `balsa get`: shows objects as the server's tables, or whole as JSON or YAML; `-w` goes on showing changes.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { stringify } from 'yaml'
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
import { sortKeys, sortedJson } from './sorted-json.ts'
import { withoutManagedFields } from './without-managed-fields.ts'
import { TablePrinter } from './table-text.ts'
import type { Table } from './table-text.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

const outputs = ['wide', 'json', 'yaml', 'name'] as const
type Output = (typeof outputs)[number]

interface GetOptions extends SessionOptions {
  readonly allNamespaces?: boolean
  readonly output?: Output
  readonly watch?: boolean
  readonly selector?: string
  readonly fieldSelector?: string
  readonly headers: boolean
  readonly showLabels?: boolean
  readonly ignoreNotFound?: boolean
}

const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const pageItems = 500

export const registerGetCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('get'))
    .description('show objects')
    .argument('<words...>', 'RESOURCE, RESOURCE NAME..., or RESOURCE/NAME...')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-o, --output <form>', outputs.join(', '), parseOutput)
    .option('-w, --watch', 'go on showing changes')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .option('--field-selector <fields>', 'only objects with these fields')
    .option('--no-headers', 'leave out the first line')
    .option('--show-labels', 'add a column with all labels')
    .option('--ignore-not-found', 'exit 0 when a named object does not exist')
    .action((words: string[], options: GetOptions) => runVerb(() => get(words, options)))
}

const parseOutput = (text: string): Output => {
  const output = outputs.find((one) => one === text)
  if (output === undefined) throw new InvalidArgumentError(`one of ${outputs.join(', ')}`)
  return output
}

const get = async (words: readonly string[], options: GetOptions): Promise<void> => {
  using session = new ApiSession(options)
  const targets = parseObjectArguments(await session.served(), words)
  const whole = options.output !== undefined && options.output !== 'wide'
  // Awaited, not returned: the session lives until they are done.
  if (options.watch === true) await watch(session, targets, options)
  else if (whole) await printObjects(session, targets, options)
  else await printTables(session, targets, options)
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
    const rows = tables.flatMap((table) => table.rows ?? [])
    const text = tablePrinter(group, groups.length > 1, options).text({ ...first, rows })
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
  if (name !== undefined) {
    return { method: 'GET', path: objectPath(resource.ref, session.namespaceOf(resource), name) }
  }
  return {
    method: 'GET',
    path: collectionPath(resource.ref, namespace),
    query: {
      limit: pageItems,
      labelSelector: options.selector,
      fieldSelector: options.fieldSelector,
    },
  }
}

const printObjects = async (
  session: ApiSession,
  targets: readonly ObjectArgument[],
  options: GetOptions,
): Promise<void> => {
  const found: { readonly target: ObjectArgument; readonly object: KubeObject }[] = []
  for (const target of targets) {
    const objects = await missingIsReported(options, () => wholeObjects(session, target, options))
    for (const object of objects ?? []) found.push({ target, object })
  }
  if (options.output === 'name') {
    for (const { target, object } of found) {
      process.stdout.write(`${objectLabel(target.resource, object.metadata.name ?? '')}\n`)
    }
    return
  }
  const isOne = targets.length === 1 && targets[0]?.name !== undefined
  if (isOne && found.length === 0) return
  const items = found.map(({ object }) => object)
  const value = isOne
    ? items[0]
    : { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } }
  process.stdout.write(objectText(value, options.output))
}

/** As kubectl prints: keys in order of the alphabet. */
const objectText = (value: unknown, output: Output | undefined): string =>
  output === 'yaml'
    ? stringify(sortKeys(withoutManagedFields(value)), {
        version: '1.1',
        lineWidth: 0,
        indentSeq: false,
      })
    : `${sortedJson(withoutManagedFields(value), 4)}\n`

const wholeObjects = async (
  session: ApiSession,
  target: ObjectArgument,
  options: GetOptions,
): Promise<readonly KubeObject[]> => {
  const { resource, name } = target
  if (name !== undefined) {
    return [await session.client.get(resource.ref, session.namespaceOf(resource), name)]
  }
  const namespace = options.allNamespaces === true ? undefined : session.namespaceOf(resource)
  const items: KubeObject[] = []
  let next: string | undefined
  do {
    const page = await session.client.list(resource.ref, {
      limit: pageItems,
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
  options: GetOptions,
): Promise<void> => {
  const [target, ...others] = targets
  if (target === undefined || others.length > 0) {
    throw new Error('you may only specify a single resource type with --watch')
  }
  const { resource, name } = target
  const isTable = options.output === undefined || options.output === 'wide'
  const all: ObjectArgument = { resource, name: undefined }
  const selected: GetOptions =
    name === undefined ? options : { ...options, fieldSelector: `metadata.name=${name}` }
  const printer = tablePrinter([target], false, options)
  // Whole objects are not listed first: a watch from nowhere begins with what is there.
  const first = isTable ? await wholeTable(session, all, selected) : undefined
  if (first !== undefined) process.stdout.write(printer.text(first))
  const request = requestFor(session, all, selected)
  const { limit: _limit, ...query } = request.query ?? {}
  const print = (object: Json): void => {
    if (isTable) process.stdout.write(printer.text(object as unknown as Table))
    else if (options.output === 'name') {
      const { metadata } = object as unknown as KubeObject
      process.stdout.write(`${objectLabel(resource, metadata.name ?? '')}\n`)
    } else
      process.stdout.write(
        `${options.output === 'yaml' ? '---\n' : ''}${objectText(object, options.output)}`,
      )
  }
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
          if (event?.object === undefined || event.type === 'BOOKMARK') return
          if (event.type === 'ERROR') reject(statusError(500, JSON.stringify(event.object)))
          else print(event.object)
        },
        ended: (error) => (error === undefined ? resolve() : reject(error)),
      },
    )
  })
}
