// The rules for kinds that make pods from a template and keep them running.
import type { DeploymentSpec, DeploymentStrategy } from '../deployment.ts'
import { parsePercent, scaledValue } from '../int-or-percent.ts'
import { jsonEqual } from '../json-equal.ts'
import { matchesSelector } from '../label-selector.ts'
import type { FieldError, LabelSelector } from '../object.ts'
import type { IntOrString, PodTemplateSpec } from '../pod-spec/pod-spec.ts'
import { validatePodSpec } from '../pod-spec/validate-pod-spec.ts'
import type { ReplicaSetSpec } from '../replica-set.ts'
import { forbidden, invalid, notNegative, notSupported, required } from './field-error.ts'
import { validateLabelSelector } from './validate-label-selector.ts'
import { validateAnnotations, validateLabels } from './validate-metadata.ts'

const strategyTypes: readonly string[] = ['Recreate', 'RollingUpdate']

export const validateReplicaSetSpec = (spec: ReplicaSetSpec): FieldError[] => [
  ...notNegative('spec.replicas', spec.replicas),
  ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
  ...validateSelector(spec.selector, 'replicaset'),
  ...validateServerTemplate(spec.template, spec.selector, 'ReplicaSet'),
]

export const validateDeploymentSpec = (spec: DeploymentSpec): FieldError[] => [
  ...notNegative('spec.replicas', spec.replicas),
  ...validateSelector(spec.selector, 'deployment'),
  ...validateServerTemplate(spec.template, spec.selector, 'ReplicaSet'),
  ...validateStrategy(spec.strategy, 'spec.strategy'),
  ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
  ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ...validateDeadline(spec),
]

/** A selector decides which pods are whose, so it never changes. */
export const validateSelectorUpdate = (selector: LabelSelector, old: LabelSelector): FieldError[] =>
  jsonEqual(selector, old) ? [] : [invalid('spec.selector', selector, 'field is immutable')]

export const validateSelector = (
  selector: LabelSelector | undefined,
  kind: string,
): FieldError[] => {
  if (selector === undefined) return [required('spec.selector')]
  const errors = validateLabelSelector('spec.selector', selector)
  return isEmpty(selector)
    ? [...errors, invalid('spec.selector', selector, `empty selector is invalid for ${kind}`)]
    : errors
}

const isEmpty = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 &&
  (selector.matchExpressions ?? []).length === 0

/** A template of pods that run until they are deleted; `kind` as the messages name it. */
export const validateServerTemplate = (
  template: PodTemplateSpec,
  selector: LabelSelector | undefined,
  kind: string,
): FieldError[] => {
  const { restartPolicy } = template.spec
  return [
    ...validateTemplate(template, selector, 'spec.template'),
    ...(restartPolicy === 'Always' || restartPolicy === undefined
      ? []
      : [notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always'])]),
    ...(template.spec.activeDeadlineSeconds === undefined
      ? []
      : [
          forbidden(
            'spec.template.spec.activeDeadlineSeconds',
            `activeDeadlineSeconds in ${kind} is not Supported`,
          ),
        ]),
  ]
}

/** What holds for any template; `selector` undefined: it is found missing elsewhere, or made by the server. */
export const validateTemplate = (
  template: PodTemplateSpec,
  selector: LabelSelector | undefined,
  path: string,
): FieldError[] => {
  const labels = template.metadata?.labels
  const selected = selector === undefined || isEmpty(selector) || matchesSelector(selector, labels)
  return [
    ...(selected
      ? []
      : [
          invalid(
            `${path}.metadata.labels`,
            labels ?? {},
            '`selector` does not match template `labels`',
          ),
        ]),
    ...validateLabels(`${path}.labels`, labels),
    ...validateAnnotations(`${path}.annotations`, template.metadata?.annotations),
    ...validatePodSpec(template.spec, `${path}.spec`),
  ]
}

const validateStrategy = (strategy: DeploymentStrategy, path: string): FieldError[] => {
  const type = strategy.type ?? ''
  if (!strategyTypes.includes(type)) return [notSupported(`${path}.type`, type, strategyTypes)]
  const rolling = strategy.rollingUpdate
  if (type === 'Recreate') {
    return rolling === undefined
      ? []
      : [
          forbidden(
            `${path}.rollingUpdate`,
            "may not be specified when strategy `type` is 'Recreate'",
          ),
        ]
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rolling ?? {}
  const unavailablePath = `${path}.rollingUpdate.maxUnavailable`
  const bothZero =
    scaledValue(maxUnavailable, 100, 'up') === 0 && scaledValue(maxSurge, 100, 'up') === 0
  return [
    ...validateShare(maxUnavailable, unavailablePath),
    ...validateShare(maxSurge, `${path}.rollingUpdate.maxSurge`),
    ...(bothZero
      ? [invalid(unavailablePath, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...((parsePercent(maxUnavailable) ?? 0) > 100
      ? [invalid(unavailablePath, maxUnavailable, 'must not be greater than 100%')]
      : []),
  ]
}

export const validateShare = (value: IntOrString, path: string): FieldError[] => {
  if (typeof value === 'number') return notNegative(path, value)
  return parsePercent(value) === undefined
    ? [
        invalid(
          path,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ]
    : []
}

const validateDeadline = (spec: DeploymentSpec): FieldError[] => {
  const path = 'spec.progressDeadlineSeconds'
  const deadline = spec.progressDeadlineSeconds
  if (deadline === undefined) return []
  return [
    ...notNegative(path, deadline),
    ...(deadline > (spec.minReadySeconds ?? 0)
      ? []
      : [invalid(path, deadline, 'must be greater than minReadySeconds')]),
  ]
}
