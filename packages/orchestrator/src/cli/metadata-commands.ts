// `balsa label` and `balsa annotate`: KEY=VALUE sets, KEY- removes.
import type { Command } from 'commander'
import type { KubeObject } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { parseObjectArguments } from './object-arguments.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface MetadataOptions extends SessionOptions {
  readonly overwrite?: boolean
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
    withSession(program.command(field.verb))
      .description(`set or remove ${field.field}`)
      .argument('<words...>', 'RESOURCE NAME... or RESOURCE/NAME..., then KEY=VALUE or KEY-')
      .option('--overwrite', 'also those that have another value')
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
  const first = words.findIndex(isChange)
  if (first < 0) throw new Error(`at least one ${noun} update is required`)
  const wanted = parseChanges(words.slice(first))
  using session = new ApiSession(options)
  for (const { resource, name } of parseObjectArguments(
    await session.served(),
    words.slice(0, first),
  )) {
    if (name === undefined) throw new Error('one or more resources must be specified by name')
    try {
      const namespace = session.namespaceOf(resource)
      const current = await session.client.get<KubeObject>(resource.ref, namespace, name)
      const present = current.metadata[field] ?? {}
      const isSame = Object.entries(wanted).every(
        ([key, value]) => (present[key] ?? null) === value,
      )
      if (options.overwrite !== true) refuseOthers(noun, present, wanted)
      const label = objectLabel(resource, name)
      if (isSame) {
        process.stdout.write(`${label} not ${done}\n`)
        continue
      }
      const patch = { metadata: { [field]: wanted } }
      await session.client.patch(resource.ref, namespace, name, 'merge', patch)
      const isRemoval = Object.values(wanted).every((value) => value === null)
      process.stdout.write(`${label} ${isRemoval && noun === 'label' ? 'unlabeled' : done}\n`)
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
