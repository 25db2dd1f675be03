// `balsa describe`: an object whole, for people: what it is called, what it wants, how it is, and what happened to it.
import type { Command } from 'commander'
import type { Event } from '../resources/event.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { blockOf, type Block, blockText } from './describe/block.ts'
import { sectionsOf } from './describe/sections.ts'
import { type ObjectArgument, parseObjectArguments } from './object-arguments.ts'
import { TablePrinter } from './table-text.ts'
import { eventAge, listEvents } from './usage-commands.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface DescribeOptions extends SessionOptions {
  readonly selector?: string
}

const hiddenAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

export const registerDescribeCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('describe'))
    .description('show objects whole, and what happened to them')
    .argument('<words...>', 'RESOURCE, RESOURCE NAME..., or RESOURCE/NAME...')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .action((words: string[], options: DescribeOptions) => runVerb(() => describe(words, options)))
}

const describe = async (words: readonly string[], options: DescribeOptions): Promise<void> => {
  using session = new ApiSession(options)
  let printed = 0
  for (const target of parseObjectArguments(await session.served(), words)) {
    try {
      for (const object of await objectsOf(session, target, options)) {
        const text = await described(session, target, object)
        process.stdout.write(printed++ === 0 ? text : `\n\n${text}`)
      }
    } catch (reason) {
      reportFailure(reason)
    }
  }
  if (printed === 0 && process.exitCode !== 1)
    process.stderr.write(`No resources found in ${session.namespace} namespace.\n`)
}

const objectsOf = async (
  session: ApiSession,
  { resource, name }: ObjectArgument,
  { selector }: DescribeOptions,
): Promise<readonly Stored<KubeObject>[]> => {
  const namespace = session.namespaceOf(resource)
  if (name !== undefined)
    return [await session.client.get<KubeObject>(resource.ref, namespace, name)]
  const { items } = await session.client.list<KubeObject>(resource.ref, {
    ...(namespace === undefined ? {} : { namespace }),
    ...(selector === undefined ? {} : { labelSelector: selector }),
  })
  return items
}

const described = async (
  session: ApiSession,
  { resource }: ObjectArgument,
  object: Stored<KubeObject>,
): Promise<string> => {
  const { metadata } = object
  const { namespace, name, uid } = metadata
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => key !== hiddenAnnotation,
  )
  const head: Block = [
    ['Name', name],
    ...(namespace === undefined ? [] : [['Namespace', namespace] as const]),
    ['Labels', pairs(Object.entries(metadata.labels ?? {}), '=')],
    ['Annotations', pairs(annotations, ': ')],
  ]
  const own = await sectionsOf(session, resource.kind, object)
  const body = own ?? generic(object)
  const events = await listEvents(session, namespace, { uid, name, kind: resource.kind })
  return `${blockText([...head, ...body])}${eventsText(events)}`
}

const pairs = (entries: readonly (readonly [string, string])[], between: string) =>
  entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}${between}${value}`)

/** Of kinds without sections of their own: all their fields. */
const generic = (object: Stored<KubeObject>): Block => {
  const { apiVersion, kind, metadata, ...rest } = object
  const { creationTimestamp, generation, resourceVersion, uid } = metadata
  return [
    ['API Version', apiVersion],
    ['Kind', kind],
    ...blockOf({
      metadata: { creationTimestamp, generation, resourceVersion, uid },
      ...rest,
    }),
  ]
}

const eventsText = (events: readonly Stored<Event>[]): string => {
  if (events.length === 0) return 'Events:  <none>\n'
  const nowMs = Date.now()
  const rows = events.map((event) => ({
    cells: [
      event.type ?? '',
      event.reason ?? '',
      eventAge(event, nowMs),
      event.source?.component ?? event.reportingComponent ?? '',
      (event.message ?? '').trim(),
    ],
  }))
  const columns = ['Type', 'Reason', 'Age', 'From', 'Message']
  const rule = { cells: columns.map((name) => '-'.repeat(name === 'Age' ? 4 : name.length)) }
  const columnDefinitions = columns.map((name) => ({ name }))
  const text = new TablePrinter({ hasHeaders: false }).text({
    kind: 'Table',
    columnDefinitions,
    rows: [{ cells: columns }, rule, ...rows],
  })
  return `Events:\n${text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`
}
