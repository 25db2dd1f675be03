// Secret: like a ConfigMap, for what must not be shown. `stringData` is for writing only and becomes `data`.
import { encodeBase64 } from './base64.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import { jsonEqual } from './json-equal.ts'
import type { FieldError, KubeObject, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import { validateConfigKeys, validateDataSize } from './validation/validate-config-data.ts'
import { forbidden, invalid, required } from './validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface Secret extends KubeObject {
  readonly type?: string
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly immutable?: boolean
}

/** Keys that secrets of a type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

export const secretType: ResourceType<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: secretDefaults,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateConfigKeys('data', object.data),
    ...validateDataSize({ bytes: object.data }, 'data'),
    ...validateTypeKeys(object),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateImmutable(object, old),
  ],
  columns: [
    nameColumn,
    column('Type', 'Used to facilitate programmatic handling of secret data.'),
    column('Data', 'The number of entries of the secret data.'),
    ageColumn,
  ],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.type ?? '',
    Object.keys(object.data ?? {}).length,
    ageOf(object.metadata.creationTimestamp, now),
  ],
  selectableFields: (object) => ({ type: object.type ?? '' }),
}

function secretDefaults(object: Secret): Secret {
  const { stringData, ...rest } = object
  const typed: Secret = rest.type === undefined ? { ...rest, type: 'Opaque' } : rest
  if (stringData === undefined) return typed === rest ? object : typed
  const written = Object.entries(stringData).map(([key, text]) => [key, encodeBase64(text)])
  return { ...typed, data: { ...typed.data, ...Object.fromEntries(written) } }
}

function validateTypeKeys(object: Secret): FieldError[] {
  const type = object.type ?? ''
  const keys = Object.hasOwn(requiredKeys, type) ? requiredKeys[type] : undefined
  const data = object.data ?? {}
  if (type === 'kubernetes.io/basic-auth') {
    const found = Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')
    return found ? [] : [required('data[username]'), required('data[password]')]
  }
  return (keys ?? [])
    .filter((key) => !Object.hasOwn(data, key))
    .map((key) => required(`data[${key}]`))
}

function validateImmutable(object: Secret, old: Secret): FieldError[] {
  const typeChanged =
    object.type === old.type ? [] : [invalid('type', object.type, 'field is immutable')]
  if (old.immutable !== true) return typeChanged
  const detail = 'field is immutable when `immutable` is set'
  return [
    ...typeChanged,
    ...(object.immutable === true ? [] : [forbidden('immutable', detail)]),
    ...(jsonEqual(object.data, old.data) ? [] : [forbidden('data', detail)]),
  ]
}
