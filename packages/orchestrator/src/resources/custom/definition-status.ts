// The status of a CustomResourceDefinition: whether its names are free, whether its kind is served, and which versions its objects may have.
import type { Condition, ResourceType } from '../object.ts'
import type { CustomNames, CustomResourceDefinition } from './custom-resource-definition.ts'

/** `others`: the other kinds of its group. `now`: RFC 3339. */
export const definitionStatus = (
  definition: CustomResourceDefinition,
  others: readonly ResourceType[],
  now: string,
): CustomResourceDefinition['status'] => {
  const { spec, status } = definition
  const conflict = nameConflict(spec.names, others)
  const before = status.conditions ?? []
  const wasEstablished = before.some(
    ({ type, status: is }) => type === 'Established' && is === 'True',
  )
  const accepted: Condition =
    conflict === undefined
      ? {
          type: 'NamesAccepted',
          status: 'True',
          reason: 'NoConflicts',
          message: 'no conflicts found',
        }
      : { type: 'NamesAccepted', status: 'False', ...conflict }
  const established: Condition =
    conflict === undefined || wasEstablished
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
      : {
          type: 'Established',
          status: 'False',
          reason: 'NotAccepted',
          message: 'not all names are accepted',
        }
  const stored = status.storedVersions ?? []
  const storage = spec.versions.filter((version) => version.storage).map((version) => version.name)
  return {
    ...status,
    conditions: [
      ...before.filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established'),
      withTime(accepted, before, now),
      withTime(established, before, now),
    ],
    ...(conflict === undefined ? { acceptedNames: spec.names } : {}),
    storedVersions: [...stored, ...storage.filter((name) => !stored.includes(name))],
  }
}

/** When it last changed; as it was where it did not. */
const withTime = (condition: Condition, before: readonly Condition[], now: string): Condition => {
  const old = before.find(({ type }) => type === condition.type)
  const lastTransitionTime =
    old?.status === condition.status ? (old.lastTransitionTime ?? now) : now
  const { type, status, reason = '', message = '' } = condition
  return { lastTransitionTime, message, reason, status, type }
}

const nameConflict = (
  names: CustomNames,
  others: readonly ResourceType[],
): { readonly reason: string; readonly message: string } | undefined => {
  const taken = new Set(others.flatMap((type) => [type.plural, type.singular, ...type.shortNames]))
  const kinds = new Set(others.flatMap((type) => [type.kind, `${type.kind}List`]))
  const isUsed = (name: string): string => `${JSON.stringify(name)} is already in use`
  if (taken.has(names.plural)) return { reason: 'PluralConflict', message: isUsed(names.plural) }
  const { singular = names.kind.toLowerCase(), listKind = `${names.kind}List` } = names
  if (taken.has(singular)) return { reason: 'SingularConflict', message: isUsed(singular) }
  const short = names.shortNames?.find((name) => taken.has(name))
  if (short !== undefined) return { reason: 'ShortNamesConflict', message: isUsed(short) }
  if (kinds.has(names.kind)) return { reason: 'KindConflict', message: isUsed(names.kind) }
  return kinds.has(listKind) ? { reason: 'ListKindConflict', message: isUsed(listKind) } : undefined
}
