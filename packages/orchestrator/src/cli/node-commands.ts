// `balsa cordon`, `uncordon` and `drain`: a node gets no new pods, gets them again, loses those it has.
import type { Command } from 'commander'
import { ApiError, type ResourceRef } from '../client/api-client.ts'
import { objectPath } from '../client/http-api-client.ts'
import { waitFor } from '../client/wait-for.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { runVerb } from './verb-failure.ts'

interface DrainOptions extends SessionOptions {
  readonly force?: boolean
  readonly ignoreDaemonsets?: boolean
}
interface Node extends KubeObject {
  readonly spec: { readonly unschedulable?: boolean }
}
interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string }
}

const nodes: ResourceRef = { group: '', version: 'v1', plural: 'nodes' }
const pods: ResourceRef = { group: '', version: 'v1', plural: 'pods' }
const goneWaitMs = 600_000
const refusedRetryMs = 5000

export const registerNodeCommands = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const each = (verb: string, text: string, isCordon: boolean): void => {
    withSession(program.command(verb))
      .description(text)
      .argument('<nodes...>')
      .action((names: string[], options: SessionOptions) =>
        runVerb(async () => {
          using session = new ApiSession(options)
          for (const name of names) await cordon(session, name, isCordon)
        }),
      )
  }
  each('cordon', 'let a node have no new pods', true)
  each('uncordon', 'let a node have new pods again', false)
  withSession(program.command('drain'))
    .description('cordon a node and evict its pods')
    .argument('<node>')
    .option('--force', 'also pods that no controller replaces')
    .option('--ignore-daemonsets', 'leave those of DaemonSets where they are')
    .action((name: string, options: DrainOptions) => runVerb(() => drain(name, options)))
}

const cordon = async (session: ApiSession, name: string, isCordon: boolean): Promise<void> => {
  const { spec } = await session.client.get<Node>(nodes, undefined, name)
  const done = isCordon ? 'cordoned' : 'uncordoned'
  if ((spec.unschedulable === true) === isCordon) {
    process.stdout.write(`node/${name} already ${done}\n`)
    return
  }
  const patch = { spec: { unschedulable: isCordon ? true : null } }
  await session.client.patch(nodes, undefined, name, 'strategic', patch)
  process.stdout.write(`node/${name} ${done}\n`)
}

const drain = async (name: string, options: DrainOptions): Promise<void> => {
  using session = new ApiSession(options)
  await cordon(session, name, true)
  const { items } = await session.client.list<Pod>(pods, { fieldSelector: `spec.nodeName=${name}` })
  const daemons = items.filter((pod) => controllerKind(pod) === 'DaemonSet')
  const unmanaged = items.filter((pod) => controllerKind(pod) === undefined)
  if (daemons.length > 0 && options.ignoreDaemonsets !== true) {
    throw new Error(
      `unable to drain node ${JSON.stringify(name)} due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ${namesOf(daemons)}`,
    )
  }
  if (unmanaged.length > 0 && options.force !== true) {
    throw new Error(
      `unable to drain node ${JSON.stringify(name)} due to error: cannot delete Pods that declare no controller (use --force to override): ${namesOf(unmanaged)}`,
    )
  }
  const evicted = items.filter((pod) => !daemons.includes(pod))
  await Promise.all(evicted.map((pod) => evict(session, pod)))
  process.stdout.write(`node/${name} drained\n`)
}

const controllerKind = ({ metadata }: Stored<Pod>): string | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true)?.kind

const namesOf = (items: readonly Stored<Pod>[]): string =>
  items.map(({ metadata: { namespace, name } }) => `${namespace ?? ''}/${name}`).join(', ')

/** Until it is gone; one that a budget protects is asked again. */
const evict = async (session: ApiSession, { metadata }: Stored<Pod>): Promise<void> => {
  const { name, namespace = '', uid } = metadata
  process.stdout.write(`evicting pod ${namespace}/${name}\n`)
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  }
  for (;;) {
    try {
      const path = objectPath(pods, namespace, name, 'eviction')
      await session.transport.json({ method: 'POST', path, body })
      break
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason
      if (reason.code === 404) return
      if (reason.code !== 429) throw reason
      process.stderr.write(
        `error when evicting pods/"${name}" -n "${namespace}" (will retry after 5s): ${reason.message}\n`,
      )
      await new Promise((resolve) => setTimeout(resolve, refusedRetryMs))
    }
  }
  const isGone = (pod: Stored<KubeObject> | undefined): boolean => pod?.metadata.uid !== uid
  await waitFor(session.client, pods, { namespace, name }, isGone, { timeoutMs: goneWaitMs })
  process.stdout.write(`pod/${name} evicted\n`)
}
