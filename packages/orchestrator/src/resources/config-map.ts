// ConfigMap: settings as text or bytes, read by pods as files or environment.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import { jsonEqual } from './json-equal.ts'
import type { FieldError, KubeObject, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import {
  duplicateKeys,
  validateConfigKeys,
  validateDataSize,
} from './validation/validate-config-data.ts'
import { forbidden } from './validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
  /** Base64. */
  readonly binaryData?: Readonly<Record<string, string>>
  readonly immutable?: boolean
}

export const configMapType: ResourceType<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateConfigKeys('data', object.data),
    ...validateConfigKeys('binaryData', object.binaryData),
    ...duplicateKeys('data', object.data, object.binaryData),
    ...validateDataSize({ texts: object.data, bytes: object.binaryData }, '[]'),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateImmutable(object, old),
  ],
  columns: [
    nameColumn,
    column('Data', 'The number of entries of the configuration data.'),
    ageColumn,
  ],
  cells: (object, now) => [
    object.metadata.name ?? '',
    Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

function validateImmutable(object: ConfigMap, old: ConfigMap): FieldError[] {
  if (old.immutable !== true) return []
  const detail = 'field is immutable when `immutable` is set'
  return [
    ...(object.immutable === true ? [] : [forbidden('immutable', detail)]),
    ...(jsonEqual(object.data, old.data) ? [] : [forbidden('data', detail)]),
    ...(jsonEqual(object.binaryData, old.binaryData) ? [] : [forbidden('binaryData', detail)]),
  ]
}
