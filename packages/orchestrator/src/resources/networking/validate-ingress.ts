// The rules for Ingress specs, with upstream's texts.
import { parseIp } from '../ip-address.ts'
import {
  dns1035LabelProblems,
  dns1123SubdomainProblems,
  portNameProblems,
  portNumberProblems,
} from '../names.ts'
import type { FieldError } from '../object.ts'
import {
  invalid,
  invalidEach,
  notEmpty,
  notSupported,
  required,
} from '../validation/field-error.ts'
import type {
  IngressBackend,
  IngressPath,
  IngressRule,
  IngressSpec,
  TypedReference,
} from './ingress.ts'

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEndings = ['/..', '/.']
const wildcardPattern = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

export const validateIngressSpec = (spec: IngressSpec): FieldError[] => {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec
  const isEmpty = rules.length === 0 && defaultBackend === undefined
  return [
    ...(isEmpty
      ? [invalid('spec', null, 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...(defaultBackend === undefined ? [] : validateBackend(defaultBackend, 'spec.defaultBackend')),
    ...rules.flatMap((rule, index) => validateRule(rule, `spec.rules[${index}]`)),
    ...tls.flatMap(({ hosts = [], secretName = '' }, index) => [
      ...hosts.flatMap((host, at) => validateHost(host, `spec.tls[${index}].hosts[${at}]`)),
      ...(secretName === ''
        ? []
        : invalidEach(
            `spec.tls[${index}].secretName`,
            secretName,
            dns1123SubdomainProblems(secretName),
          )),
    ]),
    ...(ingressClassName === undefined
      ? []
      : invalidEach(
          'spec.ingressClassName',
          ingressClassName,
          dns1123SubdomainProblems(ingressClassName),
        )),
  ]
}

export const validateTypedReference = (reference: TypedReference, path: string): FieldError[] => [
  ...(reference.apiGroup === undefined
    ? []
    : invalidEach(
        `${path}.apiGroup`,
        reference.apiGroup,
        dns1123SubdomainProblems(reference.apiGroup),
      )),
  ...(reference.kind === '' ? [required(`${path}.kind`, 'kind is required')] : []),
  ...(reference.name === '' ? [required(`${path}.name`, 'name is required')] : []),
]

const validateHost = (host: string, path: string): FieldError[] => {
  if (!host.includes('*')) return invalidEach(path, host, dns1123SubdomainProblems(host))
  return wildcardPattern.test(host)
    ? []
    : [
        invalid(
          path,
          host,
          "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
      ]
}

const validateRule = ({ host = '', http }: IngressRule, path: string): FieldError[] => {
  const isAddress = parseIp(host) !== undefined
  return [
    ...(isAddress ? [invalid(`${path}.host`, host, 'must be a DNS name, not an IP address')] : []),
    ...(host === '' ? [] : validateHost(host, `${path}.host`)),
    ...(http !== undefined && http.paths.length === 0 ? [required(`${path}.http.paths`)] : []),
    ...(http?.paths ?? []).flatMap((one, index) =>
      validatePath(one, `${path}.http.paths[${index}]`),
    ),
  ]
}

const validatePath = (one: IngressPath, at: string): FieldError[] => {
  const { path = '', pathType } = one
  if (pathType === undefined) return [required(`${at}.pathType`, 'pathType must be specified')]
  const field = `${at}.path`
  const isAny = pathType === 'ImplementationSpecific'
  const problems = [
    ...(path.startsWith('/') || (isAny && path === '') ? [] : ['must be an absolute path']),
    ...(isAny ? [] : badSequences)
      .filter((sequence) => path.includes(sequence))
      .map((sequence) => `must not contain '${sequence}'`),
    ...(isAny ? [] : badEndings)
      .filter((ending) => path.endsWith(ending))
      .map((ending) => `cannot end with '${ending}'`),
  ]
  return [
    ...(pathTypes.includes(pathType)
      ? invalidEach(field, path, problems)
      : [notSupported(`${at}.pathType`, pathType, pathTypes)]),
    ...validateBackend(one.backend, `${at}.backend`),
  ]
}

const validateBackend = ({ service, resource }: IngressBackend, path: string): FieldError[] => {
  if (service !== undefined && resource !== undefined) {
    return [invalid(path, '', 'cannot set both resource and service backends')]
  }
  if (resource !== undefined) return validateTypedReference(resource, `${path}.resource`)
  if (service === undefined) return [invalid(path, '', 'resource or service backend is required')]
  const { name = '', number = 0 } = service.port ?? {}
  return [
    ...notEmpty(`${path}.service.name`, service.name),
    ...(service.name === ''
      ? []
      : invalidEach(`${path}.service.name`, service.name, dns1035LabelProblems(service.name))),
    ...(name !== '' && number !== 0
      ? [invalid(path, '', 'cannot set both port name & port number')]
      : name !== ''
        ? invalidEach(`${path}.service.port.name`, name, portNameProblems(name))
        : number === 0
          ? [required(path, 'port name or number is required')]
          : invalidEach(`${path}.service.port.number`, number, portNumberProblems(number))),
  ]
}
