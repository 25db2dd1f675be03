// Objects for the tests of controllers and scheduler, filled as the apiserver fills them.
import type { Deployment } from '../../resources/deployment.ts'
import type { Node } from '../../resources/node.ts'
import type { KubeObject, ObjectMeta, Stored } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod, PodStatus } from '../../resources/pod.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'

export const startMs: number = Date.parse('2026-01-01T00:00:00Z')

export const stored = <T extends KubeObject>(
  object: T,
  more: Partial<ObjectMeta> = {},
): Stored<T> =>
  ({
    ...object,
    metadata: {
      uid: `uid-${object.metadata.name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      ...object.metadata,
      ...more,
    },
  }) as Stored<T>

export const readyStatus: PodStatus = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
}

export const podOf = (
  name: string,
  options: {
    readonly owner?: Stored<KubeObject>
    readonly spec?: Partial<PodSpec>
    readonly status?: PodStatus
    readonly metadata?: Partial<ObjectMeta>
  } = {},
): Stored<Pod> =>
  stored({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      labels: { app: 'a' },
      ...(options.owner === undefined
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: options.owner.apiVersion,
                kind: options.owner.kind,
                name: options.owner.metadata.name,
                uid: options.owner.metadata.uid,
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          }),
      ...options.metadata,
    },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: {} }],
      nodeName: 'n1',
      ...options.spec,
    },
    status: options.status ?? readyStatus,
  })

export const replicaSetOf = (
  name: string,
  replicas: number,
  minReadySeconds = 0,
): Stored<ReplicaSet> =>
  stored({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'default', labels: { app: 'a' } },
    spec: {
      replicas,
      minReadySeconds,
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
      },
    },
    status: { replicas: 0 },
  })

export const deploymentOf = (name: string, replicas: number, image = 'i:1'): Stored<Deployment> =>
  stored({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default', labels: { app: 'a' } },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: { containers: [{ name: 'c', image, resources: {} }] },
      },
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
    },
    status: {},
  })

export const nodeOf = (
  name: string,
  options: {
    readonly allocatable?: Readonly<Record<string, string>>
    readonly spec?: Node['spec']
    readonly labels?: Readonly<Record<string, string>>
    readonly ready?: 'True' | 'False' | 'Unknown'
  } = {},
): Stored<Node> =>
  stored({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...options.labels } },
    spec: options.spec ?? {},
    status: {
      allocatable: { cpu: '2', memory: '4Gi', pods: '110', ...options.allocatable },
      conditions: [{ type: 'Ready', status: options.ready ?? 'True', reason: 'r' }],
    },
  })
