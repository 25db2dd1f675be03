// `balsa rollout`: status, history, undo, restart, pause and resume of a Deployment, of which the ReplicaSets are the revisions.
import { type Command, InvalidArgumentError } from 'commander'
import type { ResourceRef } from '../client/api-client.ts'
import { waitFor } from '../client/wait-for.ts'
import type { Json, KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { parseObjectArguments } from './object-arguments.ts'
import { TablePrinter } from './table-text.ts'
import { runVerb } from './verb-failure.ts'

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly paused?: boolean }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[]
  }
}
interface ReplicaSet extends KubeObject {
  readonly spec: { readonly template: { readonly metadata?: { readonly labels?: Json } } }
}
interface Target {
  readonly session: ApiSession
  readonly ref: ResourceRef
  readonly name: string
  readonly label: string
}
interface UndoOptions extends SessionOptions {
  readonly toRevision: number
}

const replicaSets: ResourceRef = { group: 'apps', version: 'v1', plural: 'replicasets' }
const revisionKey = 'deployment.kubernetes.io/revision'
const causeKey = 'kubernetes.io/change-cause'
const restartedKey = 'kubectl.kubernetes.io/restartedAt'
const hashKey = 'pod-template-hash'
const statusTimeoutMs = 3_600_000

export const registerRolloutCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const rollout = program.command('rollout').description('how a Deployment changes')
  const add = (verb: string, text: string, run: (target: Target) => Promise<void>): void => {
    withSession(rollout.command(verb))
      .description(text)
      .argument('<words...>', 'RESOURCE NAME, or RESOURCE/NAME')
      .action((words: string[], options: SessionOptions) => forEach(words, options, run))
  }
  add('status', 'wait until the change is done', status)
  add('history', 'show the revisions', history)
  add('restart', 'replace all pods by new ones', (target) =>
    change(target, 'restarted', {
      template: { metadata: { annotations: { [restartedKey]: new Date().toISOString() } } },
    }),
  )
  add('pause', 'do not act on changes for now', (target) =>
    change(target, 'paused', { paused: true }),
  )
  add('resume', 'act on changes again', (target) => change(target, 'resumed', { paused: null }))
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
    using session = new ApiSession(options)
    for (const { resource, name } of parseObjectArguments(await session.served(), words)) {
      const label = objectLabel(resource, name ?? '')
      if (name === undefined) throw new Error('required resource not specified')
      if (resource.ref.plural !== 'deployments') throw new Error(`${label} is no deployment`)
      await run({ session, ref: resource.ref, name, label })
    }
  })

const change = async (
  { session, ref, name, label }: Target,
  done: string,
  spec: Json,
): Promise<void> => {
  await session.client.patch(ref, session.namespace, name, 'merge', { spec })
  process.stdout.write(`${label} ${done}\n`)
}

const status = async ({ session, ref, name }: Target): Promise<void> => {
  let said = ''
  await waitFor<Deployment>(
    session.client,
    ref,
    { namespace: session.namespace, name },
    (deployment) => {
      if (deployment === undefined)
        throw new Error(`deployments.apps ${JSON.stringify(name)} not found`)
      const waiting = waitingFor(deployment)
      const text =
        waiting === undefined
          ? `deployment ${JSON.stringify(name)} successfully rolled out\n`
          : `Waiting for deployment ${waiting}...\n`
      if (text !== said) process.stdout.write(text)
      said = text
      return waiting === undefined
    },
    { timeoutMs: statusTimeoutMs },
  )
}

const waitingFor = ({
  metadata,
  spec,
  status: state = {},
}: Stored<Deployment>): string | undefined => {
  const name = JSON.stringify(metadata.name)
  if ((state.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return 'spec update to be observed'
  if (state.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded') === true) {
    throw new Error(`deployment ${name} exceeded its progress deadline`)
  }
  const wanted = spec.replicas ?? 1
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = state
  const rollout = `${name} rollout to finish:`
  if (updatedReplicas < wanted) {
    return `${rollout} ${updatedReplicas} out of ${wanted} new replicas have been updated`
  }
  if (replicas > updatedReplicas) {
    return `${rollout} ${replicas - updatedReplicas} old replicas are pending termination`
  }
  return availableReplicas < updatedReplicas
    ? `${rollout} ${availableReplicas} of ${updatedReplicas} updated replicas are available`
    : undefined
}

/** Oldest first. */
const revisionsOf = async ({ session, ref, name }: Target): Promise<Stored<ReplicaSet>[]> => {
  const { namespace } = session
  const { metadata } = await session.client.get<Deployment>(ref, namespace, name)
  const { items } = await session.client.list<ReplicaSet>(replicaSets, { namespace })
  return items
    .filter((item) => item.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid))
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
}

const revisionOf = ({ metadata }: Stored<KubeObject>): number =>
  Number(metadata.annotations?.[revisionKey] ?? 0)

const history = async (target: Target): Promise<void> => {
  const rows = (await revisionsOf(target)).map((item) => ({
    cells: [String(revisionOf(item)), item.metadata.annotations?.[causeKey] ?? '<none>'],
  }))
  const columnDefinitions = [{ name: 'Revision' }, { name: 'Change-Cause' }]
  const table = new TablePrinter({}).text({ kind: 'Table', columnDefinitions, rows })
  process.stdout.write(`${target.label} \n${table}\n`)
}

const undo = async (target: Target, asked: number): Promise<void> => {
  const revisions = await revisionsOf(target)
  const found =
    asked === 0 ? revisions.at(-2) : revisions.find((item) => revisionOf(item) === asked)
  if (found === undefined) {
    throw new Error(
      asked === 0
        ? `no rollout history found for deployment ${JSON.stringify(target.name)}`
        : `unable to find specified revision ${asked} in history`,
    )
  }
  if (found === revisions.at(-1)) {
    process.stdout.write(
      `${target.label} skipped rollback (current template already matches revision ${asked})\n`,
    )
    return
  }
  const { template } = found.spec
  const { [hashKey]: _hash, ...labels } = (template.metadata?.labels ?? {}) as Record<string, Json>
  const { session, ref, name, label } = target
  const value = { ...template, metadata: { ...template.metadata, labels } } as unknown as Json
  const patch = [{ op: 'replace', path: '/spec/template', value }]
  await session.client.patch(ref, session.namespace, name, 'json', patch)
  process.stdout.write(`${label} rolled back\n`)
}
