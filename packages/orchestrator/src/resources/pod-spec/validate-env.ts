// The rules for a container's environment: literal values and where others come from.
import { configKeyProblems, envNameProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import {
  invalid,
  invalidEach,
  notEmpty,
  notSupported,
  required,
} from '../validation/field-error.ts'
import type { Container, EnvFromSource, EnvVar, EnvVarSource, KeySelector } from './pod-spec.ts'

/** Fields of the pod that a variable can show. Labels and annotations are named with their key: `metadata.labels['x']`. */
const fieldPaths: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const resourcePattern =
  /^(?:limits|requests)\.(?:cpu|memory|ephemeral-storage|hugepages-[a-zA-Z0-9]+)$/
const subscriptPattern = /^metadata\.(?:labels|annotations)\['([^']*)'\]$/

export const validateEnv = (container: Container, path: string): FieldError[] => [
  ...(container.env ?? []).flatMap((variable, index) =>
    validateVariable(variable, `${path}.env[${index}]`),
  ),
  ...(container.envFrom ?? []).flatMap((source, index) =>
    validateEnvFrom(source, `${path}.envFrom[${index}]`),
  ),
]

const validateVariable = (variable: EnvVar, path: string): FieldError[] => {
  const { name, value = '', valueFrom } = variable
  const errors =
    name === ''
      ? [required(`${path}.name`)]
      : invalidEach(`${path}.name`, name, envNameProblems(name))
  if (valueFrom === undefined) return errors
  const at = `${path}.valueFrom`
  if (value !== '') {
    errors.push(invalid(at, '', 'may not be specified when `value` is not empty'))
  }
  const count = Object.keys(valueFrom).length
  if (count === 0) {
    errors.push(
      invalid(
        at,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    )
  }
  if (count > 1) {
    errors.push(invalid(at, '', 'may not have more than one field specified at a time'))
  }
  return [...errors, ...validateSource(valueFrom, at)]
}

const validateSource = (source: EnvVarSource, path: string): FieldError[] => {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source
  return [
    ...(fieldRef === undefined ? [] : validateFieldPath(fieldRef.fieldPath, `${path}.fieldRef`)),
    ...(resourceFieldRef === undefined
      ? []
      : validateResource(resourceFieldRef.resource, `${path}.resourceFieldRef.resource`)),
    ...(configMapKeyRef === undefined
      ? []
      : validateKeySelector(configMapKeyRef, `${path}.configMapKeyRef`)),
    ...(secretKeyRef === undefined
      ? []
      : validateKeySelector(secretKeyRef, `${path}.secretKeyRef`)),
  ]
}

const validateFieldPath = (fieldPath: string, path: string): FieldError[] => {
  if (fieldPath === '') return [required(`${path}.fieldPath`)]
  return fieldPaths.includes(fieldPath) || subscriptPattern.test(fieldPath)
    ? []
    : [notSupported(`${path}.fieldPath`, fieldPath, fieldPaths)]
}

const validateResource = (resource: string, field: string): FieldError[] => {
  if (resource === '') return [required(field)]
  return resourcePattern.test(resource)
    ? []
    : [
        notSupported(field, resource, [
          'limits.cpu',
          'limits.ephemeral-storage',
          'limits.memory',
          'requests.cpu',
          'requests.ephemeral-storage',
          'requests.memory',
        ]),
      ]
}

const validateKeySelector = (selector: KeySelector, path: string): FieldError[] => [
  ...notEmpty(`${path}.name`, selector.name),
  ...(selector.key === ''
    ? [required(`${path}.key`)]
    : invalidEach(`${path}.key`, selector.key, configKeyProblems(selector.key))),
]

const validateEnvFrom = (source: EnvFromSource, path: string): FieldError[] => {
  const { prefix = '', configMapRef, secretRef } = source
  return [
    ...(prefix === '' ? [] : invalidEach(`${path}.prefix`, prefix, envNameProblems(prefix))),
    ...(configMapRef === undefined ? [] : notEmpty(`${path}.configMapRef.name`, configMapRef.name)),
    ...(secretRef === undefined ? [] : notEmpty(`${path}.secretRef.name`, secretRef.name)),
    ...(configMapRef === undefined && secretRef === undefined
      ? [invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`')]
      : []),
    ...(configMapRef !== undefined && secretRef !== undefined
      ? [invalid(path, '', 'may not have more than one field specified at a time')]
      : []),
  ]
}
