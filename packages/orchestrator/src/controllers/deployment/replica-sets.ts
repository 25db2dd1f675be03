// The ReplicaSets of a Deployment: which is the new one, what each is annotated with, how one is made and scaled.
import { scaledValue } from '../../resources/int-or-percent.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { revisionAnnotation, type Deployment } from '../../resources/deployment.ts'
import type { Stored } from '../../resources/object.ts'
import { podTemplateHash } from '../../resources/pod-template-hash.ts'
import type { PodTemplateSpec } from '../../resources/pod-spec/pod-spec.ts'
import { replicaSetType, type ReplicaSet } from '../../resources/replica-set.ts'
import type { Action } from '../action.ts'
import { controllerReference, regarding } from '../owner.ts'

export const hashLabel = 'pod-template-hash'
const historyAnnotation = 'deployment.kubernetes.io/revision-history'
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas'
const maxAnnotation = 'deployment.kubernetes.io/max-replicas'
/** Belong to the one object they are on. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
])

export const replicasOf = (object: Stored<ReplicaSet> | Stored<Deployment>): number =>
  object.spec.replicas ?? 1
export const totalReplicas = (sets: readonly Stored<ReplicaSet>[]): number =>
  sets.reduce((sum, set) => sum + replicasOf(set), 0)

export const isRollingUpdate = ({ spec }: Stored<Deployment>): boolean =>
  spec.strategy.type !== 'Recreate'

/** How many pods more and fewer than wanted a roll-out may have; never both 0. */
export function rolloutBounds(deployment: Stored<Deployment>): {
  surge: number
  unavailable: number
} {
  if (!isRollingUpdate(deployment)) return { surge: 0, unavailable: 0 }
  const { maxSurge, maxUnavailable } = deployment.spec.strategy.rollingUpdate ?? {}
  const replicas = replicasOf(deployment)
  const surge = scaledValue(maxSurge ?? '25%', replicas, 'up')
  const unavailable = Math.min(scaledValue(maxUnavailable ?? '25%', replicas, 'down'), replicas)
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

export const revisionOf = (object: Stored<ReplicaSet> | Stored<Deployment>): number =>
  Number(object.metadata.annotations?.[revisionAnnotation] ?? 0) || 0
export const desiredOf = (set: Stored<ReplicaSet>): number | undefined =>
  numberIn(set, desiredAnnotation)
export const maxOf = (set: Stored<ReplicaSet>): number | undefined => numberIn(set, maxAnnotation)

const numberIn = (set: Stored<ReplicaSet>, annotation: string): number | undefined => {
  const text = set.metadata.annotations?.[annotation]
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** Oldest first; the name decides between those of one second. */
export const byAge = (sets: readonly Stored<ReplicaSet>[]): Stored<ReplicaSet>[] =>
  sets.toSorted((left, right) => {
    const [a, b] = [left.metadata, right.metadata]
    return a.creationTimestamp === b.creationTimestamp
      ? a.name < b.name
        ? -1
        : 1
      : a.creationTimestamp < b.creationTimestamp
        ? -1
        : 1
  })

/** The one that has the Deployment's template; the oldest if there are several. */
export const findNewReplicaSet = (
  deployment: Stored<Deployment>,
  sets: readonly Stored<ReplicaSet>[],
): Stored<ReplicaSet> | undefined =>
  byAge(sets).find((set) =>
    jsonEqual(withoutHash(set.spec.template), withoutHash(deployment.spec.template)),
  )

const withoutHash = (template: PodTemplateSpec): PodTemplateSpec => {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {}
  const { creationTimestamp: _time, ...metadata } = template.metadata ?? {}
  return { ...template, metadata: { ...metadata, labels } }
}

export const newReplicaSetName = (deployment: Stored<Deployment>): string =>
  `${deployment.metadata.name}-${templateHash(deployment)}`

const templateHash = (deployment: Stored<Deployment>): string =>
  podTemplateHash(deployment.spec.template, deployment.status.collisionCount ?? 0)

export function newReplicaSet(
  deployment: Stored<Deployment>,
  replicas: number,
  revision: number,
): ReplicaSet {
  const hash = templateHash(deployment)
  const { selector, template, minReadySeconds } = deployment.spec
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const { namespace } = deployment.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: newReplicaSetName(deployment),
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: newAnnotations(deployment, undefined, revision),
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    status: { replicas: 0 },
  }
}

/** Of the new ReplicaSet: the Deployment's own, the revision (and those it had before), the sizes for proportional scaling. */
export function newAnnotations(
  deployment: Stored<Deployment>,
  set: Stored<ReplicaSet> | undefined,
  revision: number,
): Record<string, string> {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !notCopied.has(key),
  )
  const before = set?.metadata.annotations ?? {}
  const oldRevision = set === undefined ? 0 : revisionOf(set)
  const isNewer = oldRevision < revision
  const history = [before[historyAnnotation] ?? '', isNewer && oldRevision > 0 ? oldRevision : '']
    .filter((part) => part !== '')
    .join(',')
  return {
    ...before,
    ...Object.fromEntries(own),
    ...(history === '' ? {} : { [historyAnnotation]: history }),
    [revisionAnnotation]: String(isNewer ? revision : oldRevision),
    ...(set === undefined ? sizeAnnotations(deployment) : {}),
  }
}

function sizeAnnotations(deployment: Stored<Deployment>): Record<string, string> {
  const replicas = replicasOf(deployment)
  return {
    [desiredAnnotation]: String(replicas),
    [maxAnnotation]: String(replicas + rolloutBounds(deployment).surge),
  }
}

/** Nothing to do: an empty list. The annotations follow the Deployment even when the size stays. */
export function scale(
  deployment: Stored<Deployment>,
  set: Stored<ReplicaSet>,
  replicas: number,
): Action[] {
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) }
  const from = replicasOf(set)
  if (from === replicas && jsonEqual(annotations, set.metadata.annotations)) return []
  const object: ReplicaSet = {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas },
  }
  if (from === replicas) return [{ type: 'update', ref: replicaSetType, object }]
  return [
    {
      type: 'update',
      ref: replicaSetType,
      object,
      done: scaled(deployment, object, from, replicas),
    },
  ]
}

export const scaled = (
  deployment: Stored<Deployment>,
  set: ReplicaSet,
  from: number,
  to: number,
): {
  regarding: ReturnType<typeof regarding>
  type: 'Normal'
  reason: string
  message: string
} => ({
  regarding: regarding(deployment),
  type: 'Normal',
  reason: 'ScalingReplicaSet',
  message: `Scaled ${to > from ? 'up' : 'down'} replica set ${set.metadata.name ?? ''} from ${from} to ${to}`,
})
