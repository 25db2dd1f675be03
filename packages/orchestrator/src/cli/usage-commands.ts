// `balsa top`, `events` and `api-versions`: what is used, what happened, what is served.
import type { Command } from 'commander'
import type { Event } from '../resources/event.ts'
import { ageOf, parseQuantity, quantityMilli, quantityUnits } from '../resources/index.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { parseObjectArguments } from './object-arguments.ts'
import { TablePrinter } from './table-text.ts'
import { runVerb } from './verb-failure.ts'

interface UsageOptions extends SessionOptions {
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly for?: string
}
type Usage = Readonly<Record<string, string>>
interface Measured extends KubeObject {
  readonly usage?: Usage
  readonly containers?: readonly { readonly name: string; readonly usage: Usage }[]
}
interface Node extends KubeObject {
  readonly status: { readonly allocatable?: Usage }
}

const metrics = { group: 'metrics.k8s.io', version: 'v1beta1' }
const nodes = { group: '', version: 'v1', plural: 'nodes' }
const eventsRef = { group: '', version: 'v1', plural: 'events' }
const mebibyte = 1024 * 1024

export const registerUsageCommands = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const top = program.command('top').description('show what nodes and pods use')
  withSession(top.command('nodes').aliases(['node', 'no']))
    .description('CPU and memory of nodes')
    .action((options: UsageOptions) => runVerb(() => topNodes(options)))
  withSession(top.command('pods').aliases(['pod', 'po']))
    .description('CPU and memory of pods')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <labels>', 'only pods with these labels')
    .action((options: UsageOptions) => runVerb(() => topPods(options)))
  withSession(program.command('events'))
    .description('show what happened, oldest first')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--for <object>', 'only of RESOURCE/NAME')
    .action((options: UsageOptions) => runVerb(() => events(options)))
  withSession(program.command('api-versions'))
    .description('show the versions of the API that the server serves')
    .action((options: SessionOptions) => runVerb(() => apiVersions(options)))
}

const milliCpu = (usage: Usage): number => quantityMilli(quantityOf(usage['cpu']))
const memoryBytes = (usage: Usage): number => quantityUnits(quantityOf(usage['memory']))
const quantityOf = (text = '0') => {
  const quantity = parseQuantity(text)
  if (quantity === undefined) throw new Error(`the server measured ${JSON.stringify(text)}`)
  return quantity
}
const mebibytes = (bytes: number): string => `${Math.floor(bytes / mebibyte)}Mi`
const percent = (part: number, whole: number): string =>
  whole === 0 ? '<unknown>' : `${Math.floor((part * 100) / whole)}%`

/** The first line as it is: units are not written in capitals. */
const print = (columns: readonly string[], rows: readonly (readonly string[])[]): void => {
  const columnDefinitions = columns.map((name) => ({ name }))
  const lines = [columns, ...rows].map((cells) => ({ cells }))
  const table = { kind: 'Table', columnDefinitions, rows: lines }
  process.stdout.write(new TablePrinter({ hasHeaders: false }).text(table))
}

const topNodes = async (options: UsageOptions): Promise<void> => {
  using session = new ApiSession(options)
  const measured = await session.client.list<Measured>({ ...metrics, plural: 'nodes' })
  const { items } = await session.client.list<Node>(nodes)
  const sizes = new Map(items.map(({ metadata, status }) => [metadata.name, status.allocatable]))
  const rows = measured.items.map(({ metadata, usage = {} }) => {
    const size = sizes.get(metadata.name) ?? {}
    const cpu = milliCpu(usage)
    const bytes = memoryBytes(usage)
    return [
      metadata.name,
      `${cpu}m`,
      percent(cpu, milliCpu(size)),
      mebibytes(bytes),
      percent(bytes, memoryBytes(size)),
    ]
  })
  if (rows.length === 0) throw new Error('metrics not available yet')
  print(['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'], rows)
}

const topPods = async (options: UsageOptions): Promise<void> => {
  using session = new ApiSession(options)
  const isWide = options.allNamespaces === true
  const { items } = await session.client.list<Measured>(
    { ...metrics, plural: 'pods' },
    {
      ...(isWide ? {} : { namespace: session.namespace }),
      ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
    },
  )
  if (items.length === 0) {
    process.stderr.write(
      isWide ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`,
    )
    return
  }
  const rows = items.map(({ metadata, containers = [] }) => [
    ...(isWide ? [metadata.namespace ?? ''] : []),
    metadata.name,
    `${containers.reduce((sum, { usage }) => sum + milliCpu(usage), 0)}m`,
    mebibytes(containers.reduce((sum, { usage }) => sum + memoryBytes(usage), 0)),
  ])
  print([...(isWide ? ['NAMESPACE'] : []), 'NAME', 'CPU(cores)', 'MEMORY(bytes)'], rows)
}

const lastSeen = ({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: Stored<Event>) =>
  series?.lastObservedTime ??
  lastTimestamp ??
  eventTime ??
  firstTimestamp ??
  metadata.creationTimestamp

/** Of one object, or of all; the oldest first. */
export const listEvents = async (
  session: ApiSession,
  namespace: string | undefined,
  of?: Readonly<Record<string, string>>,
): Promise<Stored<Event>[]> => {
  const fields = Object.entries(of ?? {}).map(([key, value]) => `involvedObject.${key}=${value}`)
  const { items } = await session.client.list<Event>(eventsRef, {
    ...(namespace === undefined ? {} : { namespace }),
    ...(fields.length === 0 ? {} : { fieldSelector: fields.join(',') }),
  })
  return items.toSorted((left, right) => Date.parse(lastSeen(left)) - Date.parse(lastSeen(right)))
}

/** `5s`, or `5s (x3 over 2m)`. */
export const eventAge = (event: Stored<Event>, nowMs: number): string => {
  const count = event.series?.count ?? event.count ?? 1
  const age = ageOf(lastSeen(event), nowMs)
  return count > 1 ? `${age} (x${count} over ${ageOf(event.firstTimestamp, nowMs)})` : age
}

const events = async (options: UsageOptions): Promise<void> => {
  using session = new ApiSession(options)
  const isWide = options.allNamespaces === true
  const word = options.for
  const [target] = word === undefined ? [] : parseObjectArguments(await session.served(), [word])
  const of = target?.name === undefined ? {} : { kind: target.resource.kind, name: target.name }
  const found = await listEvents(session, isWide ? undefined : session.namespace, of)
  if (found.length === 0) {
    process.stderr.write(
      isWide ? 'No events found.\n' : `No events found in ${session.namespace} namespace.\n`,
    )
    return
  }
  const nowMs = Date.now()
  const rows = found.map((event) => [
    ...(isWide ? [event.metadata.namespace ?? ''] : []),
    eventAge(event, nowMs),
    event.type ?? '',
    event.reason ?? '',
    `${event.involvedObject.kind ?? ''}/${event.involvedObject.name ?? ''}`,
    (event.message ?? '').trimEnd(),
  ])
  print(
    [...(isWide ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'],
    rows,
  )
}

const apiVersions = async (options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  const { groups = [] } = (await session.transport.json({ method: 'GET', path: '/apis' })) as {
    groups?: readonly { versions: readonly { groupVersion: string }[] }[]
  }
  const all = groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion))
  process.stdout.write(`${[...all, 'v1'].toSorted((a, b) => (a < b ? -1 : 1)).join('\n')}\n`)
}
