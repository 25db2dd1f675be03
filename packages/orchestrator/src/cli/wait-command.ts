// `balsa wait`: until objects have a condition or are gone.
import { type Command, InvalidArgumentError } from 'commander'
import type { KubeObject, Stored } from '../resources/object.ts'
import { hasCondition, waitFor } from '../client/wait-for.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { type ObjectArgument, parseObjectArguments } from './object-arguments.ts'
import { runVerb } from './verb-failure.ts'

type Wish = { readonly condition: string; readonly status: 'True' | 'False' } | 'delete'
interface WaitCommandOptions extends SessionOptions {
  readonly for: Wish
  readonly timeout: number
}

const secondsDefault = 30
const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

export const registerWaitCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('wait'))
    .description('wait until objects are as wished')
    .argument('<words...>', 'RESOURCE NAME..., or RESOURCE/NAME...')
    .requiredOption('--for <wish>', 'condition=NAME, condition=NAME=false, or delete', parseWish)
    .option('--timeout <duration>', 'how long, e.g. 30s, 2m', parseSeconds, secondsDefault)
    .action((words: string[], options: WaitCommandOptions) => runVerb(() => wait(words, options)))
}

const parseWish = (text: string): Wish => {
  if (text === 'delete') return 'delete'
  const [, condition, status] = /^condition=([^=]+)(?:=(true|false))?$/i.exec(text) ?? []
  if (condition === undefined) throw new InvalidArgumentError('condition=NAME, or delete')
  return { condition, status: status?.toLowerCase() === 'false' ? 'False' : 'True' }
}

const parseSeconds = (text: string): number => {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(text) ?? []
  const seconds = Number(count) * (unitSeconds[unit] ?? 0)
  if (seconds <= 0) throw new InvalidArgumentError('a duration such as 30s or 2m')
  return seconds
}

const wait = async (words: readonly string[], options: WaitCommandOptions): Promise<void> => {
  using session = new ApiSession(options)
  for (const target of parseObjectArguments(await session.served(), words)) {
    await waitForOne(session, target, options)
  }
}

const waitForOne = async (
  session: ApiSession,
  { resource, name }: ObjectArgument,
  { for: wish, timeout }: WaitCommandOptions,
): Promise<void> => {
  if (name === undefined) throw new Error('name the object to wait for, as in deployment/hello')
  const namespace = session.namespaceOf(resource)
  // One that is not there has no condition to wait for.
  if (wish !== 'delete') await session.client.get(resource.ref, namespace, name)
  const label = objectLabel(resource, name)
  const isDone = (object: Stored<KubeObject> | undefined): boolean =>
    wish === 'delete' ? object === undefined : hasCondition(object, wish.condition, wish.status)
  const objectName = namespace === undefined ? { name } : { namespace, name }
  const signal = AbortSignal.timeout(timeout * 1000)
  try {
    await waitFor(session.client, resource.ref, objectName, isDone, {
      timeoutMs: timeout * 1000 + 1000,
      signal,
    })
  } catch (reason) {
    if (!signal.aborted) throw reason
    throw new Error(`timed out waiting for the condition on ${resource.ref.plural}/${name}`, {
      cause: reason,
    })
  }
  process.stdout.write(`${label} ${wish === 'delete' ? 'deleted' : 'condition met'}\n`)
}
