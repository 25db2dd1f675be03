// `balsa wait`: until objects are there, have a condition or a value, or are gone.
import { setTimeout as pause } from 'node:timers/promises'
import { parseGoDuration } from '@balsa/kv/go-duration'
import { type Command, InvalidArgumentError } from 'commander'
import { ApiError } from '../client/api-client.ts'
import { waitFor } from '../client/wait-for.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { type SelectedObject, type Selection, selectedObjects } from './selected-objects.ts'
import { reportFailure, runVerb } from './verb-failure.ts'
import { isAsWished, parseWish, type Wish } from './wait-wish.ts'

interface WaitCommandOptions extends SessionOptions, Omit<Selection, 'words' | 'namespace'> {
  readonly for: string
  readonly timeout: number
}
interface Waiting {
  readonly wish: Wish
  readonly timeoutMs: number
  readonly deadlineMs: number
}

const timeoutMsDefault = 30_000
/** What a negative timeout stands for. */
const weekMs = 7 * 24 * 3_600_000
const createCheckMs = 200
const graceMs = 1000

export const registerWaitCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('wait'))
    .description('wait until objects are as wished')
    .argument('[words...]', 'RESOURCE NAME..., or RESOURCE/NAME...')
    .option(
      '--for <wish>',
      "condition=NAME[=VALUE], jsonpath='{PATH}'[=VALUE], create, or delete",
      '',
    )
    .option(
      '--timeout <duration>',
      'how long, e.g. 30s, 2m; 0 looks once',
      parseTimeout,
      timeoutMsDefault,
    )
    .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
    .option('-l, --selector <labels>', 'the objects with these labels')
    .option('--field-selector <fields>', 'the objects with these fields')
    .option('--all', 'all objects of the kind')
    .option('-A, --all-namespaces', 'of all namespaces')
    .action((words: string[], options: WaitCommandOptions) => runVerb(() => wait(words, options)))
}

const parseTimeout = (text: string): number => {
  if (text.startsWith('-')) return weekMs
  const durationMs = parseGoDuration(text)
  if (durationMs === undefined) throw new InvalidArgumentError('a duration such as 30s or 2m')
  return durationMs
}

const wait = async (words: readonly string[], options: WaitCommandOptions): Promise<void> => {
  const { timeout: timeoutMs } = options
  const wish = parseWish(options.for)
  using session = new ApiSession(options)
  const waiting: Waiting = { wish, timeoutMs, deadlineMs: performance.now() + timeoutMs }
  const select = (): Promise<readonly SelectedObject[]> =>
    selectedObjects(session, { ...options, words })
  if (wish.type === 'create') await untilThere(session, select, waiting)
  const objects = await select()
  if (objects.length === 0 && wish.type !== 'delete') throw new Error('no matching resources found')
  for (const object of objects) {
    try {
      await waitForOne(session, object, waiting)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}

/** Until all that was named exists, or anything that was selected. */
const untilThere = async (
  session: ApiSession,
  select: () => Promise<readonly SelectedObject[]>,
  { deadlineMs }: Waiting,
): Promise<void> => {
  for (;;) {
    const objects = await select()
    const found = await Promise.all(objects.map((object) => read(session, object)))
    if (found.length > 0 && found.every((object) => object !== undefined)) return
    if (performance.now() >= deadlineMs) throw new Error('timed out waiting for the condition')
    await pause(createCheckMs)
  }
}

const read = async (
  session: ApiSession,
  { resource, namespace, name }: SelectedObject,
): Promise<Stored<KubeObject> | undefined> => {
  try {
    return await session.client.get(resource.ref, namespace, name)
  } catch (reason) {
    if (reason instanceof ApiError && reason.code === 404) return undefined
    throw reason
  }
}

const waitForOne = async (
  session: ApiSession,
  object: SelectedObject,
  { wish, timeoutMs, deadlineMs }: Waiting,
): Promise<void> => {
  const { resource, namespace, name } = object
  if (wish.type === 'delete') {
    // What was gone before is not worth a word.
    if ((await read(session, object)) === undefined) return
  } else {
    // One that is not there has nothing to wait for.
    const now = await session.client.get(resource.ref, namespace, name)
    if (isAsWished(wish, now)) {
      process.stdout.write(`${objectLabel(resource, name)} condition met\n`)
      return
    }
  }
  const subject = `${resource.ref.plural}/${name}`
  if (timeoutMs === 0) throw new Error(`condition not met for ${subject}`)
  const leftMs = Math.max(0, deadlineMs - performance.now())
  const signal = AbortSignal.timeout(Math.ceil(leftMs))
  try {
    const objectName = namespace === undefined ? { name } : { namespace, name }
    const isDone = (seen: Stored<KubeObject> | undefined): boolean => isAsWished(wish, seen)
    await waitFor(session.client, resource.ref, objectName, isDone, {
      timeoutMs: leftMs + graceMs,
      signal,
    })
  } catch (reason) {
    if (!signal.aborted) throw reason
    throw new Error(`timed out waiting for the condition on ${subject}`, { cause: reason })
  }
  const label = objectLabel(resource, name)
  process.stdout.write(`${label} ${wish.type === 'delete' ? 'deleted' : 'condition met'}\n`)
}
