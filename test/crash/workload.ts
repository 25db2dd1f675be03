// What a hunted cluster has to do: one workload of each kind, changed while it is under way, and a namespace that goes; and how it must end.
import { isActive, isReady } from '../../packages/orchestrator/src/controllers/pod-state.ts'
import { isTracked } from '../../packages/orchestrator/src/controllers/job/job-pods.ts'
import type { ApiClient } from '../../packages/orchestrator/src/client/api-client.ts'
import { isApiError } from '../../packages/orchestrator/src/client/is-api-error.ts'
import { Resource } from '../../packages/orchestrator/src/client/resource.ts'
import { configMapType } from '../../packages/orchestrator/src/resources/config-map.ts'
import {
  deploymentType,
  type Deployment,
} from '../../packages/orchestrator/src/resources/deployment.ts'
import { namespaceType } from '../../packages/orchestrator/src/resources/namespace.ts'
import type { Node } from '../../packages/orchestrator/src/resources/node.ts'
import type {
  Json,
  KubeObject,
  ResourceType,
  Stored,
} from '../../packages/orchestrator/src/resources/object.ts'
import type { Pod } from '../../packages/orchestrator/src/resources/pod.ts'
import type { ReplicaSet } from '../../packages/orchestrator/src/resources/replica-set.ts'
import { cronJobType } from '../../packages/orchestrator/src/resources/workloads/cron-job.ts'
import {
  daemonSetType,
  type DaemonSet,
} from '../../packages/orchestrator/src/resources/workloads/daemon-set.ts'
import {
  isJobFinished,
  jobType,
  type Job,
} from '../../packages/orchestrator/src/resources/workloads/job.ts'
import {
  statefulSetType,
  type StatefulSet,
} from '../../packages/orchestrator/src/resources/workloads/stateful-set.ts'
import type { RegistryHistory } from './registry-history.ts'

export interface Sizes {
  readonly nodes: number
  readonly replicas: number
  readonly members: number
  readonly completions: number
}

const namespace = 'default'
const doomed = 'doomed'

const template = (app: string, image: string, cpu: string, restartPolicy = 'Always'): object => ({
  metadata: { labels: { app } },
  spec: {
    restartPolicy,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'c', image, resources: { requests: { cpu } } }],
  },
})
const workload = (app: string, replicas: number, image = 'i:1', cpu = '1'): object => ({
  replicas,
  selector: { matchLabels: { app } },
  template: template(app, image, cpu),
})

interface Deed {
  readonly name: string
  /** Refused because it was done before: done. */
  readonly act: (client: ApiClient) => Promise<unknown>
}

const create = (type: ResourceType, name: string, spec: object, place = namespace): Deed => ({
  name: `create ${type.kind} ${place}/${name}`,
  act: (client) => {
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
    const isGlobal = type === (namespaceType as unknown as ResourceType)
    const metadata = isGlobal ? { name } : { name, namespace: place }
    return client.create(type, { apiVersion, kind: type.kind, metadata, spec } as KubeObject)
  },
})
const patch = (type: ResourceType, name: string, spec: object): Deed => ({
  name: `patch ${type.kind} ${name}`,
  act: (client) => client.patch(type, namespace, name, 'merge', { spec } as unknown as Json),
})
const kindOf = <T extends KubeObject>(type: ResourceType<T>): ResourceType =>
  type as unknown as ResourceType

/** In order; each is tried until it is done. */
export const deedsOf = ({ replicas, members, completions }: Sizes): readonly Deed[] => [
  create(kindOf(namespaceType), doomed, {}),
  create(kindOf(deploymentType), 'd', {
    ...workload('d', replicas),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '20%', maxUnavailable: '20%' } },
  }),
  create(kindOf(statefulSetType), 's', { ...workload('s', members), serviceName: 's' }),
  create(kindOf(daemonSetType), 'ds', {
    selector: { matchLabels: { app: 'ds' } },
    template: template('ds', 'i:1', '0'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
  }),
  create(kindOf(jobType), 'j', {
    completions,
    parallelism: 4,
    completionMode: 'Indexed',
    template: template('j', 'i:1', '1', 'Never'),
  }),
  create(kindOf(cronJobType), 'cj', {
    schedule: '* * * * *',
    concurrencyPolicy: 'Allow',
    jobTemplate: { spec: { template: template('cj', 'i:1', '1', 'Never') } },
  }),
  create(kindOf(deploymentType), 'e', workload('e', 6, 'i:1', '0'), doomed),
  create(
    kindOf(statefulSetType),
    'f',
    { ...workload('f', 2, 'i:1', '0'), serviceName: 'f' },
    doomed,
  ),
  ...Array.from({ length: 10 }, (_, index) =>
    create(kindOf(configMapType), `m-${index}`, {}, doomed),
  ),
  patch(kindOf(deploymentType), 'd', { template: template('d', 'i:2', '1') }),
  {
    name: 'delete the namespace',
    act: async (client) => {
      const names = new Resource(client, namespaceType)
      const found = await names.find({ name: doomed })
      if (found !== undefined) await client.delete(namespaceType, undefined, doomed)
    },
  },
  patch(kindOf(statefulSetType), 's', { template: template('s', 'i:2', '1') }),
  patch(kindOf(daemonSetType), 'ds', { template: template('ds', 'i:2', '0') }),
  patch(kindOf(deploymentType), 'd', { replicas: Math.ceil(replicas * 0.7) }),
  patch(kindOf(statefulSetType), 's', { replicas: members + 2 }),
  patch(kindOf(deploymentType), 'd', { replicas, template: template('d', 'i:3', '1') }),
]
/** So that no time makes a job any more. */
export const lastDeeds: readonly Deed[] = [patch(kindOf(cronJobType), 'cj', { suspend: true })]

/** undefined: it may have been done, or not. */
export async function tryDeed(client: ApiClient, deed: Deed): Promise<string | undefined> {
  try {
    await deed.act(client)
    return undefined
  } catch (reason) {
    if (isApiError(reason, 409) && deed.name.startsWith('create')) return undefined
    return reason instanceof Error ? reason.message : String(reason)
  }
}

/** What is not as declared; empty: it is done. */
export function unfinished(history: RegistryHistory, sizes: Sizes): string[] {
  const pods = history.all<Pod>('pods')
  const of = (app: string): Stored<Pod>[] =>
    pods.filter(({ metadata }) => metadata.labels?.['app'] === app)
  const wrong: string[] = []
  const check = (what: string, seen: unknown, wanted: unknown): void => {
    const [left, right] = [JSON.stringify(seen), JSON.stringify(wanted)]
    if (left !== right) wrong.push(`${what}: ${left} instead of ${right}`)
  }
  const shapes = (app: string): unknown => {
    const states = of(app).map(
      (pod) =>
        `${pod.spec.containers[0]?.image} ${isReady(pod) && isActive(pod) ? 'ready' : `not: ${JSON.stringify(pod.status)}`}`,
    )
    return [states.length, [...new Set(states)]]
  }
  const { replicas, members, completions, nodes } = sizes
  const deployment = history.get<Deployment>(`deployments/${namespace}/d`)
  const { observedGeneration, availableReplicas, updatedReplicas } = deployment?.status ?? {}
  const unready = history
    .all<Node>('minions')
    .filter(
      (node) => node.status.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True',
    )
  check(
    'nodes that are not ready',
    unready.map(({ metadata }) => metadata.name),
    [],
  )
  check('pods of d', shapes('d'), [replicas, ['i:3 ready']])
  check(
    'status of d',
    [observedGeneration, availableReplicas, updatedReplicas, deployment?.status.replicas],
    [deployment?.metadata.generation, replicas, replicas, replicas],
  )
  const sets = history
    .all<ReplicaSet>(`replicasets/${namespace}`)
    .filter(({ spec }) => (spec.replicas ?? 1) > 0)
  check('sets of d with pods', sets.length, 1)
  check('pods of s', shapes('s'), [members + 2, ['i:2 ready']])
  check(
    'names of s',
    of('s')
      .map(({ metadata }) => metadata.name)
      .toSorted(),
    Array.from({ length: members + 2 }, (_, index) => `s-${index}`),
  )
  const set = history.get<StatefulSet>(`statefulsets/${namespace}/s`)
  check('revision of s', set?.status.currentRevision, set?.status.updateRevision)
  check('ready of s', set?.status.readyReplicas, members + 2)
  check('pods of ds', shapes('ds'), [nodes, ['i:2 ready']])
  check('nodes of ds', new Set(of('ds').map(({ spec }) => spec.nodeName)).size, nodes)
  const { status } = history.get<DaemonSet>(`daemonsets/${namespace}/ds`) ?? {}
  check('status of ds', [status?.numberReady, status?.updatedNumberScheduled], [nodes, nodes])
  const job = history.get<Job>(`jobs/${namespace}/j`)
  check('indexes of j', job?.status.completedIndexes, `0-${completions - 1}`)
  check('successes of j', [job?.status.succeeded, job?.status.active ?? 0], [completions, 0])
  const open = history.all<Job>('jobs').filter((each) => !isJobFinished(each))
  check(
    'jobs under way',
    open.map(({ metadata }) => metadata.name),
    [],
  )
  check('pods that a job holds', pods.filter(isTracked).length, 0)
  check('what is left of the namespace', leftOf(history), [])
  check('without their owner', orphans(history), [])
  return wrong
}

/** Events of it go later, with their time to live. */
const leftOf = (history: RegistryHistory): string[] =>
  history
    .entries()
    .map(([key]) => key)
    .filter((key) => key.includes(`/${doomed}`) && !key.startsWith('/registry/events/'))

const orphans = (history: RegistryHistory): string[] => {
  const entries = history.entries()
  const uids = new Set(entries.map(([, { metadata }]) => metadata.uid))
  return entries
    .filter(([, { metadata }]) =>
      (metadata.ownerReferences ?? []).some(({ uid }) => !uids.has(uid)),
    )
    .map(([key]) => key)
}

/** What goes on for ever in a cluster at rest. */
export const isBackground = (key: string): boolean =>
  /^\/registry\/(?:leases|masterleases|events)\//.test(key)
