// The rules for Jobs and for the Jobs that a CronJob makes (batch validation).
import { jsonEqual } from '../json-equal.ts'
import type { FieldError } from '../object.ts'
import type { PodSpec } from '../pod-spec/pod-spec.ts'
import { invalid, notNegative, notSupported, required } from '../validation/field-error.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import { validateTemplate } from '../validation/validate-workload.ts'
import { parseIndexes } from './indexes.ts'
import type { Job, JobSpec, PodFailurePolicyRule } from './job.ts'

const indexedParallelismMax = 100_000
const rulesMax = 20
const exitCodesMax = 255
const actions: readonly string[] = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const operators: readonly string[] = ['In', 'NotIn']
const modes: readonly string[] = ['NonIndexed', 'Indexed']
const replacementPolicies: readonly string[] = ['Failed', 'TerminatingOrFailed']

/** A CronJob's template has no selector yet: `spec.selector` is checked where there is one. */
export const validateJobSpec = (spec: JobSpec, path: string): FieldError[] => [
  ...notNegative(`${path}.parallelism`, spec.parallelism),
  ...notNegative(`${path}.completions`, spec.completions),
  ...notNegative(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
  ...notNegative(`${path}.backoffLimit`, spec.backoffLimit),
  ...notNegative(`${path}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished),
  ...notNegative(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex),
  ...notNegative(`${path}.maxFailedIndexes`, spec.maxFailedIndexes),
  ...(spec.selector === undefined ? [] : validateLabelSelector(`${path}.selector`, spec.selector)),
  ...validateMode(spec, path),
  ...validateIndexLimits(spec, path),
  ...validateTemplate(spec.template, spec.selector, `${path}.template`),
  ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ...validateFailurePolicy(spec, `${path}.podFailurePolicy`),
  ...validateSuccessPolicy(spec, `${path}.successPolicy`),
  ...validateReplacement(spec, `${path}.podReplacementPolicy`),
]

const isIndexed = ({ completionMode }: JobSpec): boolean => completionMode === 'Indexed'

const validateMode = (spec: JobSpec, path: string): FieldError[] => {
  const { completionMode, completions, parallelism = 1 } = spec
  if (completionMode !== undefined && !modes.includes(completionMode))
    return [notSupported(`${path}.completionMode`, completionMode, modes)]
  if (!isIndexed(spec)) return []
  return [
    ...(completions === undefined
      ? [required(`${path}.completions`, `when completion mode is Indexed`)]
      : []),
    ...(parallelism > indexedParallelismMax
      ? [
          invalid(
            `${path}.parallelism`,
            parallelism,
            `must be less than or equal to ${indexedParallelismMax} when completion mode is Indexed`,
          ),
        ]
      : []),
  ]
}

const validateIndexLimits = (spec: JobSpec, path: string): FieldError[] => {
  const { backoffLimitPerIndex, maxFailedIndexes, completions } = spec
  return [
    ...(backoffLimitPerIndex !== undefined && !isIndexed(spec)
      ? [
          invalid(
            `${path}.backoffLimitPerIndex`,
            backoffLimitPerIndex,
            'requires indexed completion mode',
          ),
        ]
      : []),
    ...(maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined
      ? [required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')]
      : []),
    ...(maxFailedIndexes !== undefined &&
    completions !== undefined &&
    maxFailedIndexes > completions
      ? [
          invalid(
            `${path}.maxFailedIndexes`,
            maxFailedIndexes,
            'must be less than or equal to completions',
          ),
        ]
      : []),
  ]
}

const validateRestartPolicy = (spec: JobSpec, path: string): FieldError[] => {
  const { restartPolicy } = spec.template.spec
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    return [required(path, 'valid values: "OnFailure", "Never"')]
  if (restartPolicy === 'Never') return []
  if (spec.podFailurePolicy !== undefined)
    return [
      invalid(path, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified'),
    ]
  return spec.backoffLimitPerIndex === undefined
    ? []
    : [
        invalid(
          path,
          restartPolicy,
          'only "Never" is supported when backoffLimitPerIndex is specified',
        ),
      ]
}

function validateFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? []
  return [
    ...(rules.length > rulesMax
      ? [invalid(`${path}.rules`, rules.length, `must have at most ${rulesMax} items`)]
      : []),
    ...rules.flatMap((rule, index) => validateRule(rule, spec, `${path}.rules[${index}]`)),
  ]
}

function validateRule(rule: PodFailurePolicyRule, spec: JobSpec, path: string): FieldError[] {
  const { action, onExitCodes, onPodConditions } = rule
  const conditions = onPodConditions ?? []
  const which = 'specifying one of OnExitCodes and OnPodConditions is required'
  return [
    ...(action === ''
      ? [
          required(
            `${path}.action`,
            `valid values: ${actions.map((each) => `"${each}"`).join(', ')}`,
          ),
        ]
      : actions.includes(action)
        ? []
        : [notSupported(`${path}.action`, action, actions)]),
    ...(action === 'FailIndex' && spec.backoffLimitPerIndex === undefined
      ? [invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set')]
      : []),
    ...(onExitCodes === undefined
      ? []
      : validateExitCodes(onExitCodes, spec.template.spec, `${path}.onExitCodes`)),
    ...conditions.flatMap(({ status }, index) =>
      ['True', 'False', 'Unknown'].includes(status)
        ? []
        : [
            notSupported(`${path}.onPodConditions[${index}].status`, status, [
              'False',
              'True',
              'Unknown',
            ]),
          ],
    ),
    ...(onExitCodes !== undefined && conditions.length > 0
      ? [invalid(path, rule, 'specifying both OnExitCodes and OnPodConditions is not supported')]
      : []),
    ...(onExitCodes === undefined && conditions.length === 0 ? [invalid(path, rule, which)] : []),
  ]
}

function validateExitCodes(
  { containerName, operator, values }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  { containers, initContainers = [] }: PodSpec,
  path: string,
): FieldError[] {
  const names = [...containers, ...initContainers].map(({ name }) => name)
  return [
    ...(operators.includes(operator)
      ? []
      : [notSupported(`${path}.operator`, operator, operators)]),
    ...(containerName === undefined || names.includes(containerName)
      ? []
      : [
          invalid(
            `${path}.containerName`,
            containerName,
            'must be one of the container or initContainer names in the pod template',
          ),
        ]),
    ...(values.length === 0
      ? [invalid(`${path}.values`, values, 'at least one value is required')]
      : []),
    ...(values.length > exitCodesMax
      ? [invalid(`${path}.values`, values.length, `must have at most ${exitCodesMax} items`)]
      : []),
    ...(operator === 'In' && values.includes(0)
      ? [invalid(`${path}.values[${values.indexOf(0)}]`, 0, 'must not be 0 for the In operator')]
      : []),
  ]
}

function validateSuccessPolicy(spec: JobSpec, path: string): FieldError[] {
  const { successPolicy, completions = 0 } = spec
  if (successPolicy === undefined) return []
  if (!isIndexed(spec)) return [invalid(path, successPolicy, 'requires indexed completion mode')]
  const { rules } = successPolicy
  if (rules.length === 0)
    return [
      required(
        `${path}.rules`,
        'at least one rules must be specified when the successPolicy is specified',
      ),
    ]
  return rules.slice(0, rulesMax + 1).flatMap(({ succeededIndexes, succeededCount }, index) => {
    const at = `${path}.rules[${index}]`
    if (index === rulesMax)
      return [invalid(`${path}.rules`, rules.length, `must have at most ${rulesMax} items`)]
    if (succeededIndexes === undefined && succeededCount === undefined)
      return [required(at, 'at least one of succeededCount or succeededIndexes must be specified')]
    const parsed =
      succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions)
    return [
      ...(succeededIndexes !== undefined && parsed === undefined
        ? [invalid(`${at}.succeededIndexes`, succeededIndexes, 'error parsing succeededIndexes')]
        : []),
      ...notNegative(`${at}.succeededCount`, succeededCount),
      ...(succeededCount !== undefined && succeededCount > (parsed?.size ?? completions)
        ? [
            invalid(
              `${at}.succeededCount`,
              succeededCount,
              `must be less than or equal to ${parsed?.size ?? completions} (the number of ${parsed === undefined ? 'specified completions' : 'indexes in the specified succeededIndexes field'})`,
            ),
          ]
        : []),
    ]
  })
}

const validateReplacement = (spec: JobSpec, path: string): FieldError[] => {
  const { podReplacementPolicy } = spec
  if (podReplacementPolicy === undefined) return []
  if (spec.podFailurePolicy !== undefined)
    return podReplacementPolicy === 'Failed'
      ? []
      : [notSupported(path, podReplacementPolicy, ['Failed'])]
  return replacementPolicies.includes(podReplacementPolicy)
    ? []
    : [notSupported(path, podReplacementPolicy, replacementPolicies)]
}

const immutable = [
  'selector',
  'template',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

/** A Job that has not begun may still be told where its pods run; of an Indexed one both sizes may change together. */
export function validateJobSpecUpdate(object: Job, old: Job): FieldError[] {
  const { spec } = object
  const mayRetarget = old.spec.suspend === true && old.status.startTime === undefined
  const comparable = (of: JobSpec): JobSpec => (mayRetarget ? withoutPlacement(of) : of)
  const errors = immutable.flatMap((field) =>
    jsonEqual(comparable(spec)[field], comparable(old.spec)[field])
      ? []
      : [invalid(`spec.${field}`, spec[field], 'field is immutable')],
  )
  if (spec.completions === old.spec.completions) return errors
  const isResized =
    isIndexed(spec) &&
    spec.completions === spec.parallelism &&
    old.spec.completions === old.spec.parallelism
  if (isResized) return errors
  const detail = isIndexed(spec)
    ? 'can only be modified in tandem with parallelism'
    : 'field is immutable'
  return [...errors, invalid('spec.completions', spec.completions, detail)]
}

const withoutPlacement = (spec: JobSpec): JobSpec => {
  const {
    nodeSelector: _nodes,
    affinity: _affinity,
    tolerations: _tolerations,
    ...pod
  } = spec.template.spec
  const { schedulingGates: _gates, ...rest } = pod
  const { labels: _labels, annotations: _annotations, ...metadata } = spec.template.metadata ?? {}
  return { ...spec, template: { ...spec.template, metadata, spec: rest } }
}
