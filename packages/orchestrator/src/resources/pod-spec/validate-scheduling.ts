// The rules for what a pod says about its node: tolerations, affinity and spreading.
import { qualifiedNameProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import { invalid, invalidEach, notSupported, oneOf, required } from '../validation/field-error.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import type {
  Affinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from './pod-spec.ts'

const taintEffects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const tolerationOperators: readonly string[] = ['Equal', 'Exists']
const nodeOperators: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']
const unsatisfiableActions: readonly string[] = ['DoNotSchedule', 'ScheduleAnyway']

export const validateScheduling = (spec: PodSpec, path: string): FieldError[] => [
  ...(spec.tolerations ?? []).flatMap((toleration, index) =>
    validateToleration(toleration, `${path}.tolerations[${index}]`),
  ),
  ...validateAffinity(spec.affinity ?? {}, `${path}.affinity`),
  ...(spec.topologySpreadConstraints ?? []).flatMap((constraint, index) =>
    validateSpread(constraint, `${path}.topologySpreadConstraints[${index}]`),
  ),
]

const validateToleration = (toleration: Toleration, path: string): FieldError[] => {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration
  const all =
    'operator must be Exists when `key` is empty, which means "match all values and all keys"'
  return [
    ...(key === '' ? [] : invalidEach(`${path}.key`, key, qualifiedNameProblems(key))),
    ...(key === '' && operator !== 'Exists' ? [invalid(`${path}.operator`, operator, all)] : []),
    ...(operator === '' || tolerationOperators.includes(operator)
      ? []
      : [notSupported(`${path}.operator`, operator, tolerationOperators)]),
    ...(operator === 'Exists' && value !== ''
      ? [invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'")]
      : []),
    ...(effect === '' || taintEffects.includes(effect)
      ? []
      : [notSupported(`${path}.effect`, effect, taintEffects)]),
    ...(tolerationSeconds !== undefined && effect !== 'NoExecute'
      ? [
          invalid(
            `${path}.effect`,
            effect,
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
          ),
        ]
      : []),
  ]
}

const validateAffinity = (affinity: Affinity, path: string): FieldError[] => {
  const { nodeAffinity = {}, podAffinity = {}, podAntiAffinity = {} } = affinity
  const at = `${path}.nodeAffinity`
  const must = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
  const mustPath = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
  return [
    ...(must !== undefined && must.nodeSelectorTerms.length === 0
      ? [required(mustPath, 'must have at least one node selector term')]
      : []),
    ...(must?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      validateNodeTerm(term, `${mustPath}[${index}]`),
    ),
    ...(nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
      (term, index) => {
        const termPath = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
        return [
          ...validateWeight(term.weight, `${termPath}.weight`),
          ...validateNodeTerm(term.preference, `${termPath}.preference`),
        ]
      },
    ),
    ...validatePodAffinity(podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`),
  ]
}

const validateNodeTerm = (term: NodeSelectorTerm, path: string): FieldError[] => [
  ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
    validateNodeRequirement(requirement, `${path}.matchExpressions[${index}]`),
  ),
  ...(term.matchFields ?? []).flatMap((requirement, index) =>
    validateNodeRequirement(requirement, `${path}.matchFields[${index}]`),
  ),
]

const validateNodeRequirement = (
  requirement: NodeSelectorRequirement,
  path: string,
): FieldError[] => {
  const { key, operator, values = [] } = requirement
  const field = `${path}.values`
  const keyErrors = invalidEach(`${path}.key`, key, qualifiedNameProblems(key))
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? keyErrors
        : [...keyErrors, required(field, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Gt':
    case 'Lt':
      return values.length === 1
        ? keyErrors
        : [
            ...keyErrors,
            required(field, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
          ]
    default:
      return nodeOperators.includes(operator)
        ? keyErrors
        : [...keyErrors, invalid(`${path}.operator`, operator, 'not a valid selector operator')]
  }
}

const validatePodAffinity = (affinity: PodAffinity, path: string): FieldError[] => [
  ...(affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) =>
    validatePodTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
  ),
  ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((weighted, index) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
    return [
      ...validateWeight(weighted.weight, `${at}.weight`),
      ...validatePodTerm(weighted.podAffinityTerm, `${at}.podAffinityTerm`),
    ]
  }),
]

const validatePodTerm = (term: PodAffinityTerm, path: string): FieldError[] => [
  ...(term.labelSelector === undefined
    ? []
    : validateLabelSelector(`${path}.labelSelector`, term.labelSelector)),
  ...(term.topologyKey === ''
    ? [required(`${path}.topologyKey`, 'can not be empty')]
    : invalidEach(
        `${path}.topologyKey`,
        term.topologyKey,
        qualifiedNameProblems(term.topologyKey),
      )),
]

const validateWeight = (weight: number, field: string): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalid(field, weight, 'must be in the range 1-100')]

const validateSpread = (constraint: TopologySpreadConstraint, path: string): FieldError[] => [
  ...(constraint.maxSkew > 0
    ? []
    : [invalid(`${path}.maxSkew`, constraint.maxSkew, 'must be greater than zero')]),
  ...(constraint.topologyKey === '' ? [required(`${path}.topologyKey`, 'can not be empty')] : []),
  ...oneOf(`${path}.whenUnsatisfiable`, constraint.whenUnsatisfiable, unsatisfiableActions),
]
