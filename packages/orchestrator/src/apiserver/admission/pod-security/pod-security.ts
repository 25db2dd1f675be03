// Labels of a namespace say which pods it takes: those that break the level of `enforce` are refused, those that break that of `warn` are
// told, and those that break that of `audit` are noted. Workloads are only warned of: their pods are checked when they come.
import type { KubeObject, ResourceType } from '../../../resources/object.ts'
import type { PodSpec } from '../../../resources/pod-spec/pod-spec.ts'
import { forbidden, invalid } from '../../api-errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { isMirrorPod, isPods } from '../pod-requests.ts'
import { type PodSecurityLevel, podSecurityLevels, podSecurityProblems } from './pod-checks.ts'

const prefix = 'pod-security.kubernetes.io/'
const workloads = new Set([
  'apps/deployments',
  'apps/daemonsets',
  'apps/statefulsets',
  'apps/replicasets',
  'batch/jobs',
  'batch/cronjobs',
  '/replicationcontrollers',
  '/podtemplates',
])

export class PodSecurity implements AdmissionPlugin {
  readonly name = 'PodSecurity'
  readonly #namespaces: () => Registry

  constructor(namespaces: () => Registry) {
    this.#namespaces = namespaces
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const isWrite = operation === 'CREATE' || operation === 'UPDATE'
    if (!isWrite) return false
    if (isPods(type)) return subresource === '' || subresource === 'ephemeralcontainers'
    if (subresource !== '') return false
    return (type.group === '' && type.plural === 'namespaces') || isWorkload(type)
  }

  validate(request: AdmissionRequest): void {
    const { type, namespace = '', object } = request
    if (type.plural === 'namespaces') {
      validateLabels(request)
      return
    }
    const labels = this.#namespaces().cache.get(namespace)?.object.metadata.labels ?? {}
    const spec = isPods(type)
      ? (object as KubeObject & { readonly spec: PodSpec }).spec
      : templateSpec(object)
    if (spec === undefined || isMirrorPod(object)) return
    if (isPods(type)) {
      const broken = violation(labels, 'enforce', spec)
      if (broken !== undefined) {
        throw forbidden({ group: '', resource: 'pods' }, request.name, `violates ${broken}`)
      }
    }
    const warned = violation(labels, 'warn', spec)
    if (warned !== undefined) request.warn(`would violate ${warned}`)
    const audited = violation(labels, 'audit', spec)
    if (audited !== undefined) {
      request.options.annotate?.(`${prefix}audit-violations`, `would violate ${audited}`)
    }
  }
}

const isWorkload = ({ group, plural }: ResourceType): boolean => workloads.has(`${group}/${plural}`)

/** `PodSecurity "restricted:latest": ...`; undefined: the pod is as the mode asks. */
const violation = (
  labels: Readonly<Record<string, string>>,
  mode: 'enforce' | 'warn' | 'audit',
  spec: PodSpec,
): string | undefined => {
  const level = labels[`${prefix}${mode}`]
  if (level !== 'baseline' && level !== 'restricted') return undefined
  const problems = podSecurityProblems(level, spec)
  const version = labels[`${prefix}${mode}-version`] ?? 'latest'
  return problems.length === 0
    ? undefined
    : `PodSecurity "${level}:${version}": ${problems.join(', ')}`
}

const templateSpec = (object: KubeObject): PodSpec | undefined => {
  interface Template {
    readonly spec?: PodSpec
  }
  const { spec, template } = object as KubeObject & {
    readonly spec?: {
      readonly template?: Template
      readonly jobTemplate?: { readonly spec?: { readonly template?: Template } }
    }
    readonly template?: Template
  }
  return (spec?.template ?? spec?.jobTemplate?.spec?.template ?? template)?.spec
}

const validateLabels = ({ object, oldObject, name }: AdmissionRequest): void => {
  const errors = ['enforce', 'warn', 'audit'].flatMap((mode) => {
    const key = `${prefix}${mode}`
    const level = object.metadata.labels?.[key]
    const isKnown = level === undefined || podSecurityLevels.includes(level as PodSecurityLevel)
    if (isKnown || oldObject?.metadata.labels?.[key] === level) return []
    return [
      {
        reason: 'FieldValueInvalid' as const,
        field: `metadata.labels[${key}]`,
        message: `Invalid value: ${JSON.stringify(level)}: must be one of privileged, baseline, restricted`,
      },
    ]
  })
  if (errors.length > 0) throw invalid({ group: '', kind: 'Namespace' }, name, errors)
}
