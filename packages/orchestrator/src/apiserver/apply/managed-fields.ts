// metadata.managedFields: who owns which fields. Writes that come over the wire are accounted for from the creation of an object on; what
// the system itself writes, only once somebody else's writes are.
import type { Json, KubeObject } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import {
  changedPaths,
  decodeFields,
  encodeFields,
  type FieldPath,
  fieldPaths,
  type OwnedPart,
  valueAt,
} from './field-paths.ts'
import { ownedFields } from './owned-fields.ts'
import type { Structure } from './structure.ts'

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

/** The one entry of an object that `update` creates; undefined: nothing of it can be owned. */
const creatorOf = (object: KubeObject, update: Update): Json | undefined => {
  const { manager, time, structure, part } = update
  // Objects are JSON; their types do not say so.
  const fieldsV1 = ownedFields(object as unknown as Json, structure, part)
  if (Object.keys(fieldsV1).length === 0) return undefined
  return {
    manager,
    operation: 'Update',
    apiVersion: object.apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(part === 'main' ? {} : { subresource: part }),
  }
}

export interface Update {
  readonly manager: string
  readonly time: string
  readonly structure: Structure
  readonly part: OwnedPart
}

/** The object after an update by `manager`: what it changed is its own now. `current` undefined: it is being created. */
export const withUpdateTracked = <T extends KubeObject>(
  object: T,
  current: KubeObject | undefined,
  update: Update,
): T => {
  const { managedFields: sent = [], ...metadata } = object.metadata
  if (current === undefined) {
    const creator = creatorOf(object, update)
    return creator === undefined
      ? { ...object, metadata }
      : { ...object, metadata: { ...metadata, managedFields: [creator] } }
  }
  const owners = ownersOf(sent)
  // A client that sends entries without content wants them all gone.
  if (sent.length > 0 && owners.length === 0) return { ...object, metadata }
  const managedFields = encodeOwners(ownersAfter(object, current, { owners, update }))
  return managedFields.length === 0
    ? { ...object, metadata }
    : { ...object, metadata: { ...metadata, managedFields } }
}

const ownersAfter = (
  object: KubeObject,
  current: KubeObject,
  { owners, update }: { readonly owners: readonly FieldOwner[]; readonly update: Update },
): readonly FieldOwner[] => {
  const { manager, time, structure, part } = update
  // Objects are JSON; their types do not say so.
  const after = object as unknown as Json
  const changed = changedPaths(current as unknown as Json, after, structure, part)
  const present =
    changed.size === 0 && owners.length === 0 ? changed : fieldPaths(after, structure, part)
  const subresource = part === 'main' ? '' : part
  // Fields of the other part, and those of an object that was owned as a whole, are found by looking.
  const isThere = (path: FieldPath): boolean =>
    present.has(path) || valueAt(after, path) !== undefined
  const isOwn = (owner: FieldOwner): boolean =>
    owner.manager === manager && owner.operation === 'Update' && owner.subresource === subresource
  const others = owners
    .filter((owner) => !isOwn(owner))
    .map((owner) => withPaths(owner, (path) => !changed.has(path) && isThere(path)))
  const previous = owners.find(isOwn)
  const own: FieldOwner = {
    manager,
    operation: 'Update',
    apiVersion: object.apiVersion,
    subresource,
    time: changed.size === 0 && previous !== undefined ? previous.time : time,
    paths: new Set([...[...(previous?.paths ?? [])].filter(isThere), ...changed]),
  }
  return [...others, own]
}

/** An owner of the paths that `keep` keeps. */
export const withPaths = (owner: FieldOwner, keep: (path: FieldPath) => boolean): FieldOwner => ({
  ...owner,
  paths: new Set([...owner.paths].filter(keep)),
})
