// `balsa delete`: deletes objects by name, by label or by manifest, and waits until they are gone.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { ApiError } from '../client/api-client.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession } from './api-session.ts'
import type { SessionOptions } from './api-session.ts'
import { typeLabel } from './discovery.ts'
import { type SelectedObject, selectedObjects } from './selected-objects.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface DeleteOptions extends SessionOptions {
  readonly filename?: readonly string[]
  readonly selector?: string
  readonly all?: boolean
  readonly gracePeriod?: number
  readonly now?: boolean
  readonly force?: boolean
  readonly wait: boolean
  readonly ignoreNotFound?: boolean
}
const goneCheckMs = 200
const goneWaitMs = 10 * 60_000

export const registerDeleteCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('delete'))
    .description('delete objects')
    .argument('[words...]', 'RESOURCE NAME..., or RESOURCE/NAME...')
    .option('-f, --filename <path...>', 'delete what these manifests name; - for stdin')
    .option('-l, --selector <labels>', 'delete the objects with these labels')
    .option('--all', 'delete all objects of the kind')
    .option('--grace-period <seconds>', 'how long pods may take to end', parseSeconds)
    .option('--now', 'like --grace-period=1')
    .option('--force', 'with --grace-period=0: do not wait for the agent')
    .option('--no-wait', 'do not wait until they are gone')
    .option('--ignore-not-found', 'exit 0 when a named object does not exist')
    .action((words: string[], options: DeleteOptions) => runVerb(() => deleteAll(words, options)))
}

const parseSeconds = (text: string): number => {
  const seconds = Number(text)
  if (!Number.isInteger(seconds) || seconds < -1) {
    throw new InvalidArgumentError('a whole number of seconds')
  }
  return seconds
}

const deleteAll = async (words: readonly string[], options: DeleteOptions): Promise<void> => {
  if (options.gracePeriod === 0 && options.force !== true) {
    process.stderr.write('Warning: --grace-period=0 without --force is taken as --now\n')
  }
  using session = new ApiSession(options)
  const targets = await selectedObjects(session, { ...options, words })
  const deleted: { readonly target: SelectedObject; readonly uid: string | undefined }[] = []
  for (const target of targets) {
    try {
      const uid = await deleteOne(session, target, options)
      process.stdout.write(`${typeLabel(target.resource)} ${JSON.stringify(target.name)} deleted\n`)
      deleted.push({ target, uid })
    } catch (reason) {
      const isMissing = reason instanceof ApiError && reason.code === 404
      if (!isMissing || options.ignoreNotFound !== true) reportFailure(reason)
    }
  }
  if (targets.length === 0) process.stdout.write('No resources found\n')
  if (options.wait) for (const { target, uid } of deleted) await waitUntilGone(session, target, uid)
}

/** The uid of what was deleted, to tell it from one of the same name made later. */
const deleteOne = async (
  session: ApiSession,
  { resource, namespace, name }: SelectedObject,
  options: DeleteOptions,
): Promise<string | undefined> => {
  const { client } = session
  const uid = (await client.get(resource.ref, namespace, name)).metadata.uid
  const seconds = graceSeconds(options)
  await client.delete(resource.ref, namespace, name, {
    propagationPolicy: 'Background',
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
  })
  return uid
}

const graceSeconds = (options: DeleteOptions): number | undefined => {
  if (options.now === true) return 1
  if (options.gracePeriod === undefined) return options.force === true ? 0 : undefined
  if (options.gracePeriod === 0) return options.force === true ? 0 : 1
  return options.gracePeriod < 0 ? undefined : options.gracePeriod
}

const waitUntilGone = async (
  session: ApiSession,
  { resource, namespace, name }: SelectedObject,
  uid: string | undefined,
): Promise<void> => {
  const deadline = Date.now() + goneWaitMs
  while (Date.now() < deadline) {
    try {
      const object: Stored<KubeObject> = await session.client.get(resource.ref, namespace, name)
      if (object.metadata.uid !== uid) return
    } catch (reason) {
      if (reason instanceof ApiError && reason.code === 404) return
      throw reason
    }
    await new Promise((resolve) => setTimeout(resolve, goneCheckMs))
  }
  throw new Error(`timed out waiting until ${typeLabel(resource)} ${JSON.stringify(name)} is gone`)
}
