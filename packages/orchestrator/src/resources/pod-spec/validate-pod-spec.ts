// The rules for a pod's spec (upstream's ValidatePodSpec), for what Balsa serves of it. One file per part lies beside this one.
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import { duplicate, invalid, invalidEach, oneOf, required } from '../validation/field-error.ts'
import { validateLabels } from '../validation/validate-metadata.ts'
import type { Container, PodSpec } from './pod-spec.ts'
import { validateContainer } from './validate-container.ts'
import { validateScheduling } from './validate-scheduling.ts'
import { validateVolumes } from './validate-volumes.ts'

const restartPolicies: readonly string[] = ['Always', 'OnFailure', 'Never']
const dnsPolicies: readonly string[] = [
  'ClusterFirst',
  'ClusterFirstWithHostNet',
  'Default',
  'None',
]
const deadlineSecondsMax = 2 ** 31 - 1

/** `path` is where the spec lies: `spec`, or `spec.template.spec`. */
export const validatePodSpec = (spec: PodSpec, path: string): FieldError[] => [
  ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
  ...validateContainers(spec, path),
  ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies),
  ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies),
  ...validateLabels(`${path}.nodeSelector`, spec.nodeSelector),
  ...validateNames(spec, path),
  ...validateDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
  ...validateScheduling(spec, path),
  ...validateSysctls(spec, `${path}.securityContext.sysctls`),
]

const sysctlLengthMax = 253
const sysctlPattern = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
const sysctlRegExp = new RegExp(sysctlPattern, 'u')

const validateSysctls = ({ securityContext }: PodSpec, path: string): FieldError[] => {
  const names = new Set<string>()
  return (securityContext?.sysctls ?? []).flatMap(({ name }, index) => {
    const field = `${path}[${index}].name`
    const isFirst = !names.has(name)
    names.add(name)
    if (name === '') return [required(field)]
    if (name.length > sysctlLengthMax || !sysctlRegExp.test(name)) {
      const rule = `must have at most ${sysctlLengthMax} characters and match regex ${sysctlPattern}`
      return [invalid(field, name, rule)]
    }
    return isFirst ? [] : [duplicate(field, name)]
  })
}

const validateContainers = (spec: PodSpec, path: string): FieldError[] => {
  const initContainers = spec.initContainers ?? []
  const volumeNames = new Set((spec.volumes ?? []).map(({ name }) => name))
  const names = new Set<string>()
  const validate = (container: Container, at: string, isInit: boolean): FieldError[] => {
    const errors = validateContainer(container, { path: at, volumeNames, isInit })
    if (container.name !== '' && names.has(container.name)) {
      errors.push(duplicate(`${at}.name`, container.name))
    }
    names.add(container.name)
    return errors
  }
  return [
    ...(spec.containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...spec.containers.flatMap((container, index) =>
      validate(container, `${path}.containers[${index}]`, false),
    ),
    ...initContainers.flatMap((container, index) =>
      validate(container, `${path}.initContainers[${index}]`, true),
    ),
  ]
}

const validateNames = (spec: PodSpec, path: string): FieldError[] => [
  ...named(`${path}.hostname`, spec.hostname, dns1123LabelProblems),
  ...named(`${path}.subdomain`, spec.subdomain, dns1123LabelProblems),
  ...named(`${path}.nodeName`, spec.nodeName, dns1123SubdomainProblems),
  ...named(`${path}.serviceAccountName`, spec.serviceAccountName, dns1123SubdomainProblems),
  ...named(`${path}.priorityClassName`, spec.priorityClassName, dns1123SubdomainProblems),
]

const named = (
  field: string,
  name: string | undefined,
  problemsOf: (name: string) => readonly string[],
): FieldError[] =>
  name === undefined || name === '' ? [] : invalidEach(field, name, problemsOf(name))

const validateDeadline = (seconds: number | undefined, field: string): FieldError[] =>
  seconds === undefined || (seconds >= 1 && seconds <= deadlineSecondsMax)
    ? []
    : [invalid(field, seconds, `must be between 1 and ${deadlineSecondsMax}, inclusive`)]
