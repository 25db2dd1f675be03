// metadata.managedFields: who owns which fields. Kept from the first server-side apply of an object on; an object that nobody ever
// applied has none, which costs nothing.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Json, KubeObject, MergeKeys } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import { decodeFields, encodeFields, type FieldPath, fieldPaths, valueAt } from './field-paths.ts'

export interface FieldOwner {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string
  readonly paths: ReadonlySet<FieldPath>
}

/** Takes what clients may have written; entries without fields are none. */
export const ownersOf = (managedFields: readonly Json[] | undefined): FieldOwner[] =>
  (managedFields ?? []).flatMap((entry): FieldOwner[] => {
    if (!isJsonObject(entry)) return []
    const text = (name: string): string => {
      const value = entry[name]
      return typeof value === 'string' ? value : ''
    }
    const paths = decodeFields(entry['fieldsV1'])
    if (paths.size === 0) return []
    return [
      {
        manager: text('manager'),
        operation: text('operation') === 'Apply' ? 'Apply' : 'Update',
        apiVersion: text('apiVersion'),
        subresource: text('subresource'),
        time: text('time'),
        paths,
      },
    ]
  })

export const encodeOwners = (owners: readonly FieldOwner[]): Json[] =>
  owners
    .filter((owner) => owner.paths.size > 0)
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      time: owner.time,
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(owner.paths),
      ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
    }))

/** The object after an update by `manager`: what it changed is its own now. */
export const withUpdateTracked = (
  object: KubeObject,
  current: KubeObject,
  update: { readonly manager: string; readonly time: string; readonly mergeKeys: MergeKeys },
): KubeObject => {
  const owners = ownersOf(object.metadata.managedFields)
  if (owners.length === 0) return object
  const { manager, time, mergeKeys } = update
  // Objects are JSON; their types do not say so.
  const [after, before] = [object, current] as unknown as [Json, Json]
  const present = fieldPaths(after, mergeKeys)
  const changed = new Set(
    [...present].filter((path) => !jsonEqual(valueAt(after, path), valueAt(before, path))),
  )
  const isGone = (path: FieldPath): boolean => valueAt(after, path) === undefined
  const isOwn = (owner: FieldOwner): boolean =>
    owner.manager === manager && owner.operation === 'Update' && owner.subresource === ''
  const others = owners
    .filter((owner) => !isOwn(owner))
    .map((owner) => withPaths(owner, (path) => !changed.has(path) && !isGone(path)))
  const previous = owners.find(isOwn)
  const own: FieldOwner = {
    manager,
    operation: 'Update',
    apiVersion: object.apiVersion,
    subresource: '',
    time: changed.size === 0 && previous !== undefined ? previous.time : time,
    paths: new Set([...[...(previous?.paths ?? [])].filter((path) => !isGone(path)), ...changed]),
  }
  const managedFields = encodeOwners([...others, own])
  return { ...object, metadata: { ...object.metadata, managedFields } }
}

/** An owner of the paths that `keep` keeps. */
export const withPaths = (owner: FieldOwner, keep: (path: FieldPath) => boolean): FieldOwner => ({
  ...owner,
  paths: new Set([...owner.paths].filter(keep)),
})
