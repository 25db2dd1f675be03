// The pods of a Job: their index, their end, and the finalizer that keeps a finished one until it is counted.
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Container, EnvVar } from '../../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import { isJobFinished, jobType, type Job } from '../../resources/workloads/job.ts'
import type { Action } from '../action.ts'
import { claim } from '../owner.ts'
import { podCreation } from '../pod-actions.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'
export const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count'
const ignoredCountAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'
const indexVariable = 'JOB_COMPLETION_INDEX'
/** Of a name, so that the made up end fits. */
const generatedPrefixMax = 58

export const isTracked = ({ metadata }: KubeObject): boolean =>
  metadata.finalizers?.includes(trackingFinalizer) === true
export const isTerminating = (pod: Stored<Pod>): boolean =>
  pod.metadata.deletionTimestamp !== undefined
export const isSucceeded = (pod: Stored<Pod>): boolean => pod.status.phase === 'Succeeded'
export const isFailed = (pod: Stored<Pod>): boolean => pod.status.phase === 'Failed'
export const isOver = (pod: Stored<Pod>): boolean => isSucceeded(pod) || isFailed(pod)

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'

/** A pod that is replaced only when it has ended, not when it begins to. */
export const replacesFailedOnly = ({ spec }: Job): boolean => spec.podReplacementPolicy === 'Failed'

/** Undefined: it has none. */
export function indexOf(pod: Stored<Pod>): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation]
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** How often its index had failed when the pod was made. */
export const failuresBefore = (pod: Stored<Pod>): number =>
  Number(pod.metadata.annotations?.[failureCountAnnotation] ?? 0) || 0

export function finishedAtMs(pod: Stored<Pod>): number {
  const times = (pod.status.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state.terminated?.finishedAt ?? ''),
  )
  const known = times.filter((ms) => !Number.isNaN(ms))
  if (known.length > 0) return Math.max(...known)
  const ready = pod.status.conditions?.find(({ type }) => type === 'Ready')
  const changed = Date.parse(ready?.lastTransitionTime ?? '')
  return Number.isNaN(changed) ? Date.parse(pod.metadata.creationTimestamp) || 0 : changed
}

/** Lets the pod go. Only if nobody changed it since, so that no other's finalizer is lost. */
export const untrack = (pod: Stored<Pod>): Action => ({
  type: 'patch',
  ref: podType,
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
  patch: {
    metadata: {
      uid: pod.metadata.uid,
      resourceVersion: pod.metadata.resourceVersion,
      finalizers: (pod.metadata.finalizers ?? []).filter((each) => each !== trackingFinalizer),
    },
  },
})

export function jobPodCreation(
  job: Stored<Job>,
  place?: { readonly index: number; readonly failures: number; readonly ignored: number },
): Action {
  const { template } = job.spec
  const finalizers = [...(template.metadata?.finalizers ?? []), trackingFinalizer]
  if (place === undefined) return podCreation(job, template, { finalizers })
  const index = String(place.index)
  const name = `${job.metadata.name}-${index}`
  const annotations = {
    ...template.metadata?.annotations,
    [indexAnnotation]: index,
    ...(job.spec.backoffLimitPerIndex === undefined
      ? {}
      : {
          [failureCountAnnotation]: String(place.failures),
          ...(place.ignored === 0 ? {} : { [ignoredCountAnnotation]: String(place.ignored) }),
        }),
  }
  const labels = { ...template.metadata?.labels, [indexAnnotation]: index }
  const { containers, initContainers } = template.spec
  const spec = {
    ...template.spec,
    hostname: name,
    containers: containers.map(withIndex),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndex) }),
  }
  const generateName = `${name}-`.slice(0, generatedPrefixMax)
  return podCreation(job, { ...template, spec }, { finalizers, annotations, labels, generateName })
}

const withIndex = (container: Container): Container => {
  const env = container.env ?? []
  if (env.some(({ name }) => name === indexVariable)) return container
  const variable: EnvVar = {
    name: indexVariable,
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
  }
  return { ...container, env: [...env, variable] }
}

/** Takes up pods that match and have no controller; lets go of those that match no more, of their finalizer first. */
export function claimPods(job: Stored<Job>, candidates: readonly Stored<Pod>[]): readonly Action[] {
  const { selector } = job.spec
  if (selector === undefined || isJobFinished(job)) return []
  const matches = (pod: Stored<Pod>): boolean => matchesSelector(selector, pod.metadata.labels)
  const released = new Map(
    candidates.filter((pod) => !matches(pod)).map((pod) => [pod.metadata.name, pod]),
  )
  return claim(job, jobType, podType, candidates, matches).actions.map((action) => {
    const pod = action.type === 'patch' ? released.get(action.name) : undefined
    return pod !== undefined && isTracked(pod) ? untrack(pod) : action
  })
}
