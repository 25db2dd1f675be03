// `balsa label` and `balsa annotate`: KEY=VALUE sets, KEY- removes.
import type { Command } from 'commander'
import { objectPath } from '../client/http-api-client.ts'
import type { KubeObject } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { type DryRunOptions, dryRunQuery, withDryRun } from './create/new-object.ts'
import { type OutputOptions, printResult, withOutput } from './print/output-form.ts'
import { type Selection, selectedObjects } from './selected-objects.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface MetadataOptions
  extends SessionOptions, OutputOptions, DryRunOptions, Omit<Selection, 'words' | 'namespace'> {
  readonly overwrite?: boolean
  readonly list?: boolean
}
interface Field {
  readonly verb: 'label' | 'annotate'
  readonly field: 'labels' | 'annotations'
  readonly noun: string
  readonly done: string
}
type Changes = Readonly<Record<string, string | null>>

const fields: readonly Field[] = [
  { verb: 'label', field: 'labels', noun: 'label', done: 'labeled' },
  { verb: 'annotate', field: 'annotations', noun: 'annotation', done: 'annotated' },
]

export const registerMetadataCommands = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  for (const field of fields) {
    withDryRun(withOutput(withSession(program.command(field.verb))))
      .description(`set, remove or list ${field.field}`)
      .argument('[words...]', 'RESOURCE NAME... or RESOURCE/NAME..., then KEY=VALUE or KEY-')
      .option('--overwrite', 'also those that have another value')
      .option('--list', `show the ${field.field}`)
      .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
      .option('-l, --selector <labels>', 'the objects with these labels')
      .option('--field-selector <fields>', 'the objects with these fields')
      .option('--all', 'all objects of the kind')
      .option('-A, --all-namespaces', 'of all namespaces')
      .action((words: string[], options: MetadataOptions) =>
        runVerb(() => change(field, words, options)),
      )
  }
}

const isChange = (word: string): boolean => word.includes('=') || word.endsWith('-')

const parseChanges = (words: readonly string[]): Changes =>
  Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      return at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word.slice(0, -1), null]
    }),
  )

const change = async (
  { field, noun, done }: Field,
  words: readonly string[],
  options: MetadataOptions,
): Promise<void> => {
  const at = words.findIndex(isChange)
  const first = at < 0 ? words.length : at
  const wanted = parseChanges(words.slice(first))
  if (at < 0 && options.list !== true) throw new Error(`at least one ${noun} update is required`)
  using session = new ApiSession(options)
  const targets = await selectedObjects(session, { ...options, words: words.slice(0, first) })
  const hasHeads = targets.length > 1 || options.selector !== undefined || options.all === true
  for (const { resource, namespace, name } of targets) {
    try {
      const current = await session.client.get<KubeObject>(resource.ref, namespace, name)
      const present = current.metadata[field] ?? {}
      if (options.overwrite !== true) refuseOthers(noun, present, wanted)
      if (options.list === true) {
        if (hasHeads)
          process.stdout.write(
            `Listing ${field} for ${resource.kind}.${resource.ref.group}/${name}:\n`,
          )
        for (const [key, value] of Object.entries(present).toSorted(([a], [b]) => (a < b ? -1 : 1)))
          process.stdout.write(`${hasHeads ? ' ' : ''}${key}=${value}\n`)
        continue
      }
      for (const [key, value] of Object.entries(wanted))
        if (value === null && present[key] === undefined)
          process.stdout.write(`${noun} ${JSON.stringify(key)} not found.\n`)
      const isSame = Object.entries(wanted).every(
        ([key, value]) => (present[key] ?? null) === value,
      )
      const isRemoval = Object.values(wanted).every((value) => value === null)
      const path = objectPath(resource.ref, namespace, name)
      const changed =
        isSame || options.dryRun === 'client'
          ? current
          : ((await session.transport.json({
              method: 'PATCH',
              path,
              query: { fieldManager: `balsa-${noun}`, ...dryRunQuery(options) },
              contentType: 'application/merge-patch+json',
              body: { metadata: { [field]: wanted } },
            })) as unknown as KubeObject)
      const said = isRemoval && noun === 'label' ? 'unlabeled' : done
      printResult({ resource, object: changed, done: isSame ? `not ${done}` : said }, options)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}

const refuseOthers = (
  noun: string,
  present: Readonly<Record<string, string>>,
  wanted: Changes,
): void => {
  for (const [key, value] of Object.entries(wanted)) {
    const current = present[key]
    if (value === null || current === undefined || current === value) continue
    throw new Error(
      noun === 'label'
        ? `'${key}' already has a value (${current}), and --overwrite is false`
        : '--overwrite is false but found the following declared annotation(s): ' +
            `'${key}' already has a value (${current})`,
    )
  }
}
