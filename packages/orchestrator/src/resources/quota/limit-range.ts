// LimitRange: the least and the most that containers, pods and claims of a namespace may ask for, and what those get that ask nothing.
import { column, nameColumn } from '../columns.ts'
import { dns1123SubdomainProblems, qualifiedNameProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import type { ResourceList } from '../pod-spec/pod-spec.ts'
import { compareQuantities, parseQuantity } from '../quantity.ts'
import { allVerbs } from '../update-rules.ts'
import { duplicate, forbidden, invalid, invalidEach } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface LimitRangeItem {
  /** Container, Pod or PersistentVolumeClaim. */
  readonly type: string
  readonly max?: ResourceList
  readonly min?: ResourceList
  readonly default?: ResourceList
  readonly defaultRequest?: ResourceList
  readonly maxLimitRequestRatio?: ResourceList
}
export interface LimitRange extends KubeObject {
  readonly spec: { readonly limits?: readonly LimitRangeItem[] }
}

export const limitRangeType: ResourceType<LimitRange> = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => ({
    ...object,
    spec: { ...object.spec, limits: (object.spec.limits ?? []).map(itemDefaults) },
  }),
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateItems(object.spec.limits ?? []),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    { ...column('Created At', 'When the limit range was created.'), format: 'date-time' },
  ],
  cells: ({ metadata }) => [metadata.name ?? '', metadata.creationTimestamp ?? ''],
}

/** Containers: what is left out follows from what is there. */
function itemDefaults(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  return {
    ...item,
    ...(Object.keys(limits).length === 0 ? {} : { default: limits }),
    ...(Object.keys(requests).length === 0 ? {} : { defaultRequest: requests }),
  }
}

function validateItems(items: readonly LimitRangeItem[]): FieldError[] {
  const types = new Set<string>()
  return items.flatMap((item, index) => {
    const path = `spec.limits[${index}]`
    const errors = types.has(item.type) ? [duplicate(`${path}.type`, item.type)] : []
    types.add(item.type)
    return [
      ...errors,
      ...invalidEach(`${path}.type`, item.type, qualifiedNameProblems(item.type)),
      ...validateItem(item, path),
    ]
  })
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { min = {}, max = {} } = item
  if (item.type === 'Pod') {
    for (const field of ['default', 'defaultRequest'] as const) {
      if (Object.keys(item[field] ?? {}).length > 0) {
        errors.push(forbidden(`${path}.${field}`, 'may not be specified when `type` is "Pod"'))
      }
    }
  }
  if (
    item.type === 'PersistentVolumeClaim' &&
    min['storage'] === undefined &&
    max['storage'] === undefined
  ) {
    errors.push({
      reason: 'FieldValueRequired',
      field: `${path}.limits`,
      message:
        'Required value: either minimum or maximum storage value is required, but neither was provided',
    })
  }
  const ordered = [
    ['min', 'defaultRequest', 'min value %a is greater than default request value %b'],
    ['min', 'default', 'min value %a is greater than default value %b'],
    ['min', 'max', 'min value %a is greater than max value %b'],
    [
      'defaultRequest',
      'default',
      'default request value %a is greater than default limit value %b',
    ],
    ['defaultRequest', 'max', 'default request value %a is greater than max value %b'],
    ['default', 'max', 'default value %a is greater than max value %b'],
  ] as const
  for (const [low, high, text] of ordered) {
    for (const [name, lowText] of Object.entries(item[low] ?? {})) {
      const highText = item[high]?.[name]
      if (highText === undefined || !isMore(lowText, highText)) continue
      const detail = text.replace('%a', lowText).replace('%b', highText)
      errors.push(invalid(`${path}.${low}[${name}]`, lowText, detail))
    }
  }
  return errors
}

const isMore = (left: string, right: string): boolean => {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0
}
