// `balsa rollout`: status, history, undo and restart of a Deployment, StatefulSet or DaemonSet; pause and resume of a Deployment.
import { type Command, InvalidArgumentError } from 'commander'
import type { ResourceRef } from '../client/api-client.ts'
import { waitFor } from '../client/wait-for.ts'
import type { Json, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { parseObjectArguments } from './object-arguments.ts'
import { revisionsOf } from './rollout-revisions.ts'
import { rolloutStates, type Workload } from './rollout-status.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface Target {
  readonly kind: string
  readonly session: ApiSession
  readonly ref: ResourceRef
  readonly name: string
  readonly label: string
}
interface UndoOptions extends SessionOptions {
  readonly toRevision: number
}

const restartedKey = 'kubectl.kubernetes.io/restartedAt'
const statusTimeoutMs = 3_600_000

export const registerRolloutCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const rollout = program.command('rollout').description('how a workload changes')
  const add = (verb: string, text: string, run: (target: Target) => Promise<void>): void => {
    withSession(rollout.command(verb))
      .description(text)
      .argument('[words...]', 'RESOURCE NAME..., or RESOURCE/NAME...')
      .action((words: string[], options: SessionOptions) => forEach(words, options, run))
  }
  add('status', 'wait until the change is done', status)
  add('history', 'show the revisions', history)
  add('restart', 'replace all pods by new ones', restart)
  add('pause', 'do not act on changes for now', (target) => setPaused(target, true))
  add('resume', 'act on changes again', (target) => setPaused(target, false))
  withSession(rollout.command('undo'))
    .description('go back to an earlier revision')
    .argument('<words...>', 'RESOURCE NAME, or RESOURCE/NAME')
    .option('--to-revision <n>', 'which; 0: the one before', parseRevision, 0)
    .action((words: string[], options: UndoOptions) =>
      forEach(words, options, (target) => undo(target, options.toRevision)),
    )
}

const parseRevision = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a number of the history')
  return Number(text)
}

const forEach = (
  words: readonly string[],
  options: SessionOptions,
  run: (target: Target) => Promise<void>,
): Promise<void> =>
  runVerb(async () => {
    if (words.length === 0) throw new Error('required resource not specified')
    using session = new ApiSession(options)
    for (const { resource, name } of parseObjectArguments(await session.served(), words)) {
      if (name === undefined) throw new Error('required resource not specified')
      const { ref, kind } = resource
      try {
        await run({ session, ref, kind, name, label: objectLabel(resource, name) })
      } catch (reason) {
        reportFailure(reason)
      }
    }
  })

/** `deployments.apps "web"`. */
const quoted = ({ ref, name }: Target): string =>
  `${ref.group === '' ? ref.plural : `${ref.plural}.${ref.group}`} ${JSON.stringify(name)}`

const read = ({ session, ref, name }: Target): Promise<Stored<Workload>> =>
  session.client.get<Workload>(ref, session.namespace, name)

const change = async (target: Target, done: string, spec: Json): Promise<void> => {
  const { session, ref, name, label } = target
  await session.client.patch(ref, session.namespace, name, 'merge', { spec })
  process.stdout.write(`${label} ${done}\n`)
}

const setPaused = async (target: Target, isPaused: boolean): Promise<void> => {
  const { spec } = await read(target)
  if (target.kind !== 'Deployment')
    throw new Error(`${quoted(target)} ${isPaused ? 'pausing' : 'resuming'} is not supported`)
  if ((spec.paused === true) === isPaused)
    throw new Error(`${quoted(target)} is ${isPaused ? 'already' : 'not'} paused`)
  await change(target, isPaused ? 'paused' : 'resumed', { paused: isPaused ? true : null })
}

const restart = async (target: Target): Promise<void> => {
  const { spec } = await read(target)
  if (rolloutStates[target.kind] === undefined)
    throw new Error(`${quoted(target)} restarting is not supported`)
  if (spec.paused === true)
    throw new Error(`${quoted(target)} can't restart paused deployment (run rollout resume first)`)
  const annotations = { [restartedKey]: new Date().toISOString() }
  await change(target, 'restarted', { template: { metadata: { annotations } } })
}

const status = async ({ session, ref, name, kind }: Target): Promise<void> => {
  const stateOf = rolloutStates[kind]
  if (stateOf === undefined) throw new Error(`no status viewer has been implemented for ${kind}`)
  // One that is not there is told so by the server.
  const { namespace } = session
  await session.client.get(ref, namespace, name)
  let said = ''
  await waitFor<Workload>(
    session.client,
    ref,
    { namespace, name },
    (workload) => {
      if (workload === undefined) throw new Error('object has been deleted')
      const { text, isDone } = stateOf(workload)
      if (text !== said) process.stdout.write(text)
      said = text
      return isDone
    },
    { timeoutMs: statusTimeoutMs },
  )
}

const history = async (target: Target): Promise<void> => {
  const { session, kind, label } = target
  if (rolloutStates[kind] === undefined)
    throw new Error(
      `error retrieving history for ${JSON.stringify(kind)}, no visitor method exists for { ${kind}}`,
    )
  const revisions = await revisionsOf(session, await read(target))
  const lines = [['REVISION', 'CHANGE-CAUSE'], ...revisions.map((one) => [one.number, one.cause])]
  const text = lines.map(([number, cause]) => `${String(number).padEnd(10)}${cause}\n`)
  process.stdout.write(`${label} \n${text.join('')}\n`)
}

const undo = async (target: Target, asked: number): Promise<void> => {
  const { session, ref, name, kind, label } = target
  if (rolloutStates[kind] === undefined)
    throw new Error(
      `error retrieving rollbacker for ${JSON.stringify(kind)}, no visitor method exists for { ${kind}}`,
    )
  const workload = await read(target)
  const revisions = await revisionsOf(session, workload)
  const found = asked === 0 ? revisions.at(-2) : revisions.find(({ number }) => number === asked)
  if (found === undefined) throw new Error(notFoundText(target, asked))
  if (workload.spec.paused === true)
    throw new Error(
      "you cannot rollback a paused deployment; resume it first with 'balsa rollout resume' and try again",
    )
  if (found === revisions.at(-1)) {
    process.stdout.write(
      `${label} skipped rollback (current template already matches revision ${asked})\n`,
    )
    return
  }
  const patch = [{ op: 'replace', path: '/spec/template', value: found.template }]
  await session.client.patch(ref, session.namespace, name, 'json', patch)
  process.stdout.write(`${label} rolled back\n`)
}

const notFoundText = ({ kind, name }: Target, asked: number): string => {
  if (asked !== 0) return `unable to find specified revision ${asked} in history`
  return kind === 'Deployment'
    ? `no rollout history found for deployment ${JSON.stringify(name)}`
    : 'no last revision to roll back to'
}
