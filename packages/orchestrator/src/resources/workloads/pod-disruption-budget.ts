// PodDisruptionBudget: how many of a set of pods may be evicted at a time.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { parsePercent } from '../int-or-percent.ts'
import type { Condition, FieldError, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { IntOrString } from '../pod-spec/pod-spec.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid, notSupported } from '../validation/field-error.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { validateShare } from '../validation/validate-workload.ts'

export interface PodDisruptionBudgetSpec {
  readonly minAvailable?: IntOrString
  readonly selector?: LabelSelector
  readonly maxUnavailable?: IntOrString
  readonly unhealthyPodEvictionPolicy?: string
}
export interface PodDisruptionBudgetStatus {
  readonly observedGeneration?: number
  /** Pods whose eviction was granted, by name, with the time of it. */
  readonly disruptedPods?: Readonly<Record<string, string>>
  readonly disruptionsAllowed: number
  readonly currentHealthy: number
  readonly desiredHealthy: number
  readonly expectedPods: number
  readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[]
}
export interface PodDisruptionBudget extends KubeObject {
  readonly spec: PodDisruptionBudgetSpec
  readonly status: PodDisruptionBudgetStatus
}

export const podDisruptionBudgetType: ResourceType<PodDisruptionBudget> = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  prepareForCreate: (object) => ({
    ...withFirstGeneration(object),
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Min Available', 'The pods that must stay available.'),
    column('Max Unavailable', 'The pods that may be unavailable.'),
    column('Allowed Disruptions', 'The pods that may be evicted now.', 'integer'),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    String(spec.minAvailable ?? 'N/A'),
    String(spec.maxUnavailable ?? 'N/A'),
    status.disruptionsAllowed,
    ageOf(metadata.creationTimestamp, now),
  ],
}

const evictionPolicies: readonly string[] = ['AlwaysAllow', 'IfHealthyBudget']

function validateSpec(spec: PodDisruptionBudgetSpec): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
  return [
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
      : []),
    ...validateCount(minAvailable, 'spec.minAvailable'),
    ...validateCount(maxUnavailable, 'spec.maxUnavailable'),
    ...(policy === undefined || evictionPolicies.includes(policy)
      ? []
      : [notSupported('spec.unhealthyPodEvictionPolicy', policy, evictionPolicies)]),
    ...(selector === undefined ? [] : validateLabelSelector('spec.selector', selector)),
  ]
}

const validateCount = (value: IntOrString | undefined, path: string): FieldError[] => {
  if (value === undefined) return []
  return [
    ...validateShare(value, path),
    ...((parsePercent(value) ?? 0) > 100
      ? [invalid(path, value, 'must not be greater than 100%')]
      : []),
  ]
}
