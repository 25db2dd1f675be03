// The rules for metadata that all kinds share (apimachinery api/validation). What a name may look like differs by kind.
import { utf8SizeBytes } from '../base64.ts'
import { labelValueProblems, qualifiedNameProblems } from '../names.ts'
import type { FieldError, ObjectMeta, OwnerReference } from '../object.ts'
import { forbidden, invalid, required, tooLong } from './field-error.ts'

type Problems = (name: string) => readonly string[]

const annotationsSizeBytesMax = 256 * 1024
const standardFinalizers = new Set(['foregroundDeletion', 'orphan', 'kubernetes'])

/** `finalizers`: the kinds of the API itself take those of Kubernetes and names with a domain, others any qualified name. */
export const validateMetadata = (
  metadata: ObjectMeta,
  nameProblems: Problems,
  finalizers: 'standard' | 'any' = 'standard',
): FieldError[] => [
  ...validateName(metadata, nameProblems),
  ...validateLabels('metadata.labels', metadata.labels),
  ...validateAnnotations('metadata.annotations', metadata.annotations),
  ...(metadata.ownerReferences ?? []).flatMap(validateOwner),
  ...validateOneController(metadata.ownerReferences ?? []),
  ...(metadata.finalizers ?? []).flatMap((name) => validateFinalizer(name, finalizers)),
]

export const validateMetadataUpdate = (metadata: ObjectMeta, old: ObjectMeta): FieldError[] => {
  const immutable = (['name', 'namespace', 'uid', 'creationTimestamp'] as const)
    .filter((field) => metadata[field] !== undefined && metadata[field] !== old[field])
    .map((field) => invalid(`metadata.${field}`, metadata[field], 'field is immutable'))
  if (old.deletionTimestamp === undefined) return immutable
  const added = (metadata.finalizers ?? []).filter((name) => !(old.finalizers ?? []).includes(name))
  if (added.length === 0) return immutable
  const list = added.map((name) => JSON.stringify(name)).join(', ')
  return [
    ...immutable,
    forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ]
}

export const validateLabels = (field: string, labels: ObjectMeta['labels']): FieldError[] =>
  Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((problem) => invalid(field, key, problem)),
    ...labelValueProblems(value).map((problem) => invalid(field, value, problem)),
  ])

export const validateAnnotations = (
  field: string,
  annotations: ObjectMeta['annotations'],
): FieldError[] => {
  const entries = Object.entries(annotations ?? {})
  const sizeBytes = entries.reduce(
    (sum, [key, value]) => sum + utf8SizeBytes(key) + utf8SizeBytes(value),
    0,
  )
  return [
    ...entries.flatMap(([key]) =>
      qualifiedNameProblems(key.toLowerCase()).map((problem) => invalid(field, key, problem)),
    ),
    ...(sizeBytes > annotationsSizeBytesMax ? [tooLong(field, annotationsSizeBytesMax)] : []),
  ]
}

const validateName = (metadata: ObjectMeta, nameProblems: Problems): FieldError[] => {
  const { name, generateName } = metadata
  const prefixErrors =
    generateName === undefined || generateName === ''
      ? []
      : // A prefix may end in '-' or '.': the generated part follows.
        nameProblems(generateName.replace(/[-.]$/, 'a')).map((problem) =>
          invalid('metadata.generateName', generateName, problem),
        )
  if (name === undefined || name === '') {
    return [...prefixErrors, required('metadata.name', 'name or generateName is required')]
  }
  return [
    ...prefixErrors,
    ...nameProblems(name).map((problem) => invalid('metadata.name', name, problem)),
  ]
}

const validateOwner = (owner: OwnerReference, index: number): FieldError[] =>
  (['apiVersion', 'kind', 'name', 'uid'] as const)
    .filter((field) => owner[field] === '')
    .map((field) => invalid(`metadata.ownerReferences[${index}].${field}`, '', 'must not be empty'))

const validateOneController = (owners: readonly OwnerReference[]): FieldError[] => {
  const controllers = owners.filter((owner) => owner.controller === true)
  if (controllers.length <= 1) return []
  const names = controllers.map((owner) => `${owner.kind}/${owner.name}`).join(' and ')
  return [
    invalid(
      'metadata.ownerReferences',
      owners,
      `Only one reference can have Controller set to true. Found "true" in references for ${names}`,
    ),
  ]
}

const validateFinalizer = (finalizer: string, kind: 'standard' | 'any'): FieldError[] => {
  const problems = qualifiedNameProblems(finalizer)
  if (problems.length > 0) {
    return problems.map((problem) => invalid('metadata.finalizers', finalizer, problem))
  }
  return kind === 'any' || finalizer.includes('/') || standardFinalizers.has(finalizer)
    ? []
    : [
        invalid(
          'metadata.finalizers',
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      ]
}
