// What of a pod's spec may change: images, the deadline (to less), the grace period (from negative to 1), added tolerations, gates that
// are taken away, and, while there are gates, where the pod may go: to fewer nodes only.
import { jsonEqual } from '../json-equal.ts'
import type { FieldError } from '../object.ts'
import { forbidden } from '../validation/field-error.ts'
import type { Container, PodSpec } from './pod-spec.ts'

export const validatePodUpdate = (spec: PodSpec, old: PodSpec): FieldError[] => {
  const errors: FieldError[] = []
  if (spec.containers.length !== old.containers.length) {
    return [forbidden('spec.containers', 'pod updates may not add or remove containers')]
  }
  if ((spec.initContainers ?? []).length !== (old.initContainers ?? []).length) {
    return [forbidden('spec.initContainers', 'pod updates may not add or remove containers')]
  }
  errors.push(...addedGates(spec, old))
  if (!tolerationsOnlyAdded(spec, old)) {
    errors.push(
      forbidden(
        'spec.tolerations',
        'existing toleration can not be modified except its tolerationSeconds',
      ),
    )
  }
  if (!jsonEqual(fixedPart(spec, old), fixedPart(old, old))) {
    errors.push(
      forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    )
  }
  return errors
}

/** The spec with everything that may change made equal to the old one. */
const fixedPart = (spec: PodSpec, old: PodSpec): unknown => {
  const {
    activeDeadlineSeconds,
    tolerations: _tolerations,
    schedulingGates: _gates,
    nodeSelector,
    affinity,
    ...rest
  } = spec
  const grace =
    spec.terminationGracePeriodSeconds === 1 && (old.terminationGracePeriodSeconds ?? 0) < 0
      ? old.terminationGracePeriodSeconds
      : spec.terminationGracePeriodSeconds
  return {
    ...rest,
    nodeSelector: isGated(old) && isNarrowed(nodeSelector, old) ? old.nodeSelector : nodeSelector,
    affinity:
      isGated(old) && old.affinity?.nodeAffinity === undefined
        ? { ...affinity, nodeAffinity: undefined }
        : affinity,
    containers: withImagesOf(spec.containers, old.containers),
    initContainers: withImagesOf(spec.initContainers ?? [], old.initContainers ?? []),
    terminationGracePeriodSeconds: grace,
    activeDeadlineSeconds: deadlineShortened(activeDeadlineSeconds, old.activeDeadlineSeconds)
      ? old.activeDeadlineSeconds
      : activeDeadlineSeconds,
  }
}

const isGated = ({ schedulingGates = [] }: PodSpec): boolean => schedulingGates.length > 0

/** What was asked of nodes is still asked. */
const isNarrowed = (selector: PodSpec['nodeSelector'], old: PodSpec): boolean =>
  Object.entries(old.nodeSelector ?? {}).every(([key, value]) => selector?.[key] === value)

const addedGates = (spec: PodSpec, old: PodSpec): FieldError[] =>
  (spec.schedulingGates ?? [])
    .filter(({ name }) => !(old.schedulingGates ?? []).some((gate) => gate.name === name))
    .map(({ name }) =>
      forbidden(
        'spec.schedulingGates',
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      ),
    )

const withImagesOf = (containers: readonly Container[], old: readonly Container[]): unknown =>
  containers.map((container, index) => ({ ...container, image: old[index]?.image }))

const deadlineShortened = (deadline: number | undefined, old: number | undefined): boolean =>
  deadline !== undefined && deadline >= 0 && (old === undefined || deadline <= old)

const tolerationsOnlyAdded = (spec: PodSpec, old: PodSpec): boolean => {
  const withoutSeconds = (spec.tolerations ?? []).map(
    ({ tolerationSeconds: _seconds, ...toleration }) => toleration,
  )
  return (old.tolerations ?? []).every(({ tolerationSeconds: _seconds, ...toleration }) =>
    withoutSeconds.some((one) => jsonEqual(one, toleration)),
  )
}
