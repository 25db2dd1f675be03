// PriorityClass: a name for a pod priority. The two `system-` classes are the cluster's own.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import { forbidden, invalid, oneOf } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface PriorityClass extends KubeObject {
  readonly value: number
  readonly globalDefault?: boolean
  readonly description?: string
  readonly preemptionPolicy?: string
}

const systemPrefix = 'system-'
const userPriorityMax = 1_000_000_000

/** Made at the start of every apiserver. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
]

export const priorityClassType: ResourceType<PriorityClass> = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) =>
    object.preemptionPolicy === undefined
      ? { ...object, preemptionPolicy: 'PreemptLowerPriority' }
      : object,
  prepareForCreate: (object) => ({ ...object, metadata: { ...object.metadata, generation: 1 } }),
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateValue(object),
    ...oneOf('preemptionPolicy', object.preemptionPolicy, ['Never', 'PreemptLowerPriority']),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(object.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...(object.preemptionPolicy === old.preemptionPolicy
      ? []
      : [invalid('preemptionPolicy', object.preemptionPolicy, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('Value', 'The priority of pods of the class.', 'integer'),
    column('Global-Default', 'Whether pods that name no class are of this one.', 'boolean'),
    ageColumn,
    column('PreemptionPolicy', 'Whether pods of the class push others out.'),
  ],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.value,
    object.globalDefault === true,
    ageOf(object.metadata.creationTimestamp, now),
    object.preemptionPolicy ?? '<unset>',
  ],
}

function validateValue(object: PriorityClass): FieldError[] {
  const name = object.metadata.name ?? ''
  if (name.startsWith(systemPrefix)) {
    const problem = systemProblem(name, object)
    return problem === undefined
      ? []
      : [
          forbidden(
            'metadata.name',
            `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${problem}`,
          ),
        ]
  }
  return object.value > userPriorityMax
    ? [forbidden('value', `maximum allowed value of a user defined priority is ${userPriorityMax}`)]
    : []
}

const systemProblem = (
  name: string,
  { value, globalDefault = false }: PriorityClass,
): string | undefined => {
  const known = systemPriorityClasses.find(({ metadata }) => metadata.name === name)
  if (known === undefined) return `${name} is not a known system priority class`
  if (known.value !== value) return `value of ${name} PriorityClass must be ${known.value}`
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}
