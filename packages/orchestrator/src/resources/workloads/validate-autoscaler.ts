// The rules for HorizontalPodAutoscalers (autoscaling validation).
import type { FieldError } from '../object.ts'
import {
  forbidden,
  invalid,
  notEmpty,
  notNegative,
  notSupported,
  required,
} from '../validation/field-error.ts'
import type {
  HorizontalPodAutoscalerSpec,
  MetricSpec,
  MetricTarget,
  ScalingRules,
} from './horizontal-pod-autoscaler.ts'

const stabilizationSecondsMax = 3600
const periodSecondsMax = 1800
const sources: Readonly<Record<string, keyof MetricSpec>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
}
const selectPolicies: readonly string[] = ['Disabled', 'Max', 'Min']
const policyTypes: readonly string[] = ['Percent', 'Pods']
const targetTypes: readonly string[] = ['AverageValue', 'Utilization', 'Value']

export const validateAutoscalerSpec = (spec: HorizontalPodAutoscalerSpec): FieldError[] => {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics, behavior } = spec
  return [
    ...(minReplicas !== undefined && minReplicas < 1
      ? [invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1')]
      : []),
    ...(maxReplicas < 1
      ? [invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0')]
      : []),
    ...(minReplicas !== undefined && maxReplicas < minReplicas
      ? [invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`')]
      : []),
    ...notEmpty('spec.scaleTargetRef.kind', scaleTargetRef.kind),
    ...notEmpty('spec.scaleTargetRef.name', scaleTargetRef.name),
    ...(metrics ?? []).flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ]
}

function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  if (metric.type === '') return [required(`${path}.type`, 'must specify a metric source type')]
  const source = sources[metric.type]
  if (source === undefined) return [notSupported(`${path}.type`, metric.type, Object.keys(sources))]
  const extra = Object.values(sources).filter(
    (name) => name !== source && metric[name] !== undefined,
  )
  const missing =
    metric[source] === undefined
      ? [required(`${path}.${source}`, 'must populate information for the given metric source')]
      : []
  return [
    ...missing,
    ...extra.map((name) =>
      forbidden(`${path}.${name}`, 'must populate the given metric source only'),
    ),
    ...validateSource(metric, path),
  ]
}

function validateSource(metric: MetricSpec, path: string): FieldError[] {
  const { resource, containerResource, pods, object, external } = metric
  return [
    ...(resource === undefined
      ? []
      : [
          ...notEmpty(`${path}.resource.name`, resource.name),
          ...validateResourceTarget(resource.target, `${path}.resource.target`),
        ]),
    ...(containerResource === undefined
      ? []
      : [
          ...notEmpty(`${path}.containerResource.name`, containerResource.name),
          ...notEmpty(`${path}.containerResource.container`, containerResource.container),
          ...validateResourceTarget(containerResource.target, `${path}.containerResource.target`),
        ]),
    ...(pods === undefined
      ? []
      : [
          ...notEmpty(`${path}.pods.metric.name`, pods.metric.name),
          ...validateTarget(pods.target, `${path}.pods.target`),
          ...(pods.target.averageValue === undefined
            ? [
                required(
                  `${path}.pods.target.averageValue`,
                  'must specify a positive target averageValue',
                ),
              ]
            : []),
        ]),
    ...[
      { source: object, name: 'object' },
      { source: external, name: 'external' },
    ].flatMap(({ source, name }) =>
      source === undefined
        ? []
        : [
            ...notEmpty(`${path}.${name}.metric.name`, source.metric.name),
            ...validateTarget(source.target, `${path}.${name}.target`),
            ...(source.target.value === undefined && source.target.averageValue === undefined
              ? [
                  required(
                    `${path}.${name}.target.averageValue`,
                    'must set either a target value for metric or a per-pod target',
                  ),
                ]
              : []),
          ],
    ),
  ]
}

const validateTarget = ({ type }: MetricTarget, path: string): FieldError[] => {
  if (type === '') return [required(`${path}.type`, 'must specify a metric target type')]
  return targetTypes.includes(type) ? [] : [notSupported(`${path}.type`, type, targetTypes)]
}

const validateResourceTarget = (target: MetricTarget, path: string): FieldError[] => {
  const { averageUtilization, averageValue } = target
  return [
    ...validateTarget(target, path),
    ...(averageUtilization !== undefined && averageUtilization < 1
      ? [invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0')]
      : []),
    ...(averageUtilization === undefined && averageValue === undefined
      ? [
          required(
            `${path}.averageUtilization`,
            'must set either a target raw value or a target utilization',
          ),
        ]
      : []),
    ...(averageUtilization !== undefined && averageValue !== undefined
      ? [
          forbidden(
            `${path}.averageValue`,
            'may not set both a target raw value and a target utilization',
          ),
        ]
      : []),
  ]
}

function validateRules(rules: ScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return []
  const { stabilizationWindowSeconds: window, selectPolicy, policies } = rules
  return [
    ...notNegative(`${path}.stabilizationWindowSeconds`, window),
    ...(window !== undefined && window > stabilizationSecondsMax
      ? [
          invalid(
            `${path}.stabilizationWindowSeconds`,
            window,
            `must be less than or equal to ${stabilizationSecondsMax}`,
          ),
        ]
      : []),
    ...(selectPolicy === undefined || selectPolicies.includes(selectPolicy)
      ? []
      : [notSupported(`${path}.selectPolicy`, selectPolicy, selectPolicies)]),
    ...(policies === undefined || policies.length > 0
      ? []
      : [required(`${path}.policies`, 'must specify at least one Policy')]),
    ...(policies ?? []).flatMap(({ type, value, periodSeconds }, index) => {
      const at = `${path}.policies[${index}]`
      return [
        ...(policyTypes.includes(type) ? [] : [notSupported(`${at}.type`, type, policyTypes)]),
        ...(value > 0 ? [] : [invalid(`${at}.value`, value, 'must be greater than zero')]),
        ...(periodSeconds > 0
          ? []
          : [invalid(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero')]),
        ...(periodSeconds > periodSecondsMax
          ? [
              invalid(
                `${at}.periodSeconds`,
                periodSeconds,
                `must be less than or equal to ${periodSecondsMax}`,
              ),
            ]
          : []),
      ]
    }),
  ]
}
