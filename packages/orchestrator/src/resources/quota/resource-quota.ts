// ResourceQuota: how much of everything a namespace may have. `status.used` is kept by admission, which counts before it lets in.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems, qualifiedNameProblems } from '../names.ts'
import type { Cell, FieldError, KubeObject, ResourceType } from '../object.ts'
import type { ResourceList } from '../pod-spec/pod-spec.ts'
import { parseQuantity } from '../quantity.ts'
import { allVerbs, keepStatus } from '../update-rules.ts'
import { invalid, invalidEach, notSupported, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { isScope, validateQuotaScopes } from './quota-scopes.ts'

export interface ScopeRequirement {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}
export interface ResourceQuota extends KubeObject {
  readonly spec: {
    readonly hard?: ResourceList
    readonly scopes?: readonly string[]
    readonly scopeSelector?: { readonly matchExpressions?: readonly ScopeRequirement[] }
  }
  readonly status?: { readonly hard?: ResourceList; readonly used?: ResourceList }
}

const operators = ['DoesNotExist', 'Exists', 'In', 'NotIn']

export const resourceQuotaType: ResourceType<ResourceQuota> = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  prepareForCreate: ({ status: _sent, ...object }) => ({ ...object, status: {} }),
  prepareForUpdate: keepStatus,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...Object.entries(object.spec.hard ?? {}).flatMap(([name, value]) => validateHard(name, value)),
    ...validateQuotaScopes(object.spec),
    ...(object.spec.scopeSelector?.matchExpressions ?? []).flatMap((one, index) =>
      validateScope(one, `spec.scopeSelector.matchExpressions[${index}]`),
    ),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(jsonEqual(object.spec.scopes ?? [], old.spec.scopes ?? [])
      ? []
      : [invalid('spec.scopes', object.spec.scopes ?? [], 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    ageColumn,
    column('Request', 'What is requested, of what may be.'),
    column('Limit', 'What is allowed to containers, of what may be.'),
  ],
  cells,
}

function validateHard(name: string, value: string): FieldError[] {
  const field = `spec.hard[${name}]`
  const quantity = parseQuantity(value)
  return [
    ...invalidEach(field, name, qualifiedNameProblems(name)),
    ...(quantity !== undefined && quantity.value < 0n
      ? [invalid(field, value, 'must be greater than or equal to 0')]
      : []),
  ]
}

function validateScope(one: ScopeRequirement, path: string): FieldError[] {
  const values = one.values ?? []
  const errors: FieldError[] = []
  if (!isScope(one.scopeName)) {
    errors.push(invalid(`${path}.scopeName`, one.scopeName, 'unsupported scope'))
  }
  if (!operators.includes(one.operator)) {
    errors.push(notSupported(`${path}.operator`, one.operator, operators))
  }
  const needsValues = one.operator === 'In' || one.operator === 'NotIn'
  if (needsValues && values.length === 0) {
    errors.push(
      required(
        `${path}.values`,
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ),
    )
  }
  if (!needsValues && values.length > 0) {
    errors.push(
      invalid(
        `${path}.values`,
        values,
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ),
    )
  }
  return errors
}

function cells(object: ResourceQuota, now: number): Cell[] {
  const { hard = {}, used = {} } = object.status ?? {}
  const names = Object.keys(hard).toSorted()
  const text = (wanted: (name: string) => boolean): string =>
    names
      .filter(wanted)
      .map((name) => `${name}: ${used[name] ?? '0'}/${hard[name] ?? '0'}`)
      .join(', ')
  const isLimit = (name: string): boolean => name.startsWith('limits.')
  return [
    object.metadata.name ?? '',
    ageOf(object.metadata.creationTimestamp, now),
    text((name) => !isLimit(name)),
    text(isLimit),
  ]
}
