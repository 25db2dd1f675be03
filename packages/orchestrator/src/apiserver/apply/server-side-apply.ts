// Server-side apply: merges what an applier wants into the object, takes away what it no longer wants and nobody else owns, and
// refuses to change what others own unless it is forced.
import { ApiError } from '../../client/api-client.ts'
import type { Json, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { isJsonList, isJsonObject } from '../../resources/patch/patch-result.ts'
import {
  changedPaths,
  type FieldPath,
  fieldPaths,
  type OwnedPart,
  pathsAround,
  pathText,
  withoutPath,
} from './field-paths.ts'
import { encodeOwners, type FieldOwner, ownersOf, withPaths } from './managed-fields.ts'
import { mergeConfig } from './merge-config.ts'
import { structureOf } from './structure.ts'

export interface ApplyRequest {
  readonly type: ResourceType
  /** What the applier wants, and nothing else. */
  readonly config: Json
  readonly manager: string
  /** Takes over what others own. */
  readonly force: boolean
  /** RFC 3339. */
  readonly time: string
  readonly part: OwnedPart
}

/** The owner of everything that was there before anyone applied. */
const beforeFirstApply = 'before-first-apply'

/** What to create where nothing is there yet. */
export const appliedNew = (request: ApplyRequest): Json => {
  const config = bare(request.config)
  const paths = fieldPaths(config, structureOf(request.type), request.part)
  return withManagedFields(config, [ownerOf(request, paths, undefined)])
}

/** `current` with the configuration applied, not yet checked against its kind. Throws ApiError Conflict. */
export const applied = (current: Stored<KubeObject>, request: ApplyRequest): Json => {
  const { type, manager, force, part } = request
  const structure = structureOf(type)
  const config = bare(request.config)
  // Objects are JSON; their types do not say so.
  const live = current as unknown as Json
  const wanted = fieldPaths(config, structure, part)
  const owners = ownersOrFirst(current, live, request)
  const isMine = (owner: FieldOwner): boolean =>
    owner.manager === manager &&
    owner.operation === 'Apply' &&
    owner.subresource === subresourceOf(part)
  const mine = owners.find(isMine)
  const merged = mergeConfig(live, config, structure)
  const changed = changedPaths(live, merged, structure, part)
  const isChanged = (path: FieldPath): boolean => wanted.has(path) && changed.has(path)
  const others = owners.filter((owner) => !isMine(owner))
  if (!force) refuseConflicts(others, isChanged)
  const left = others.map((owner) => withPaths(owner, (path) => !isChanged(path)))
  // What holds something of others' stays too.
  const kept = pathsAround(left.flatMap((owner) => [...owner.paths]))
  // An item of a list before its fields: without its key it would not be found any more.
  const dropped = [...(mine?.paths ?? [])]
    .filter((path) => !wanted.has(path) && !kept.has(path))
    .toSorted((a, b) => a.length - b.length)
  let result = merged
  for (const path of dropped) result = withoutPath(result, path)
  return withManagedFields(result, [...left, ownerOf(request, wanted, mine)])
}

const subresourceOf = (part: OwnedPart): string => (part === 'main' ? '' : part)

const ownersOrFirst = (
  current: Stored<KubeObject>,
  live: Json,
  { type, time }: ApplyRequest,
): FieldOwner[] => {
  const owners = ownersOf(current.metadata.managedFields)
  if (owners.length > 0) return owners
  return [
    {
      manager: beforeFirstApply,
      operation: 'Update',
      apiVersion: current.apiVersion,
      subresource: '',
      time,
      paths: fieldPaths(live, structureOf(type), 'main'),
    },
  ]
}

/** Applying the same again changes nothing, not even the time. */
const ownerOf = (
  { type, manager, time, part }: ApplyRequest,
  paths: ReadonlySet<FieldPath>,
  before: FieldOwner | undefined,
): FieldOwner => ({
  manager,
  operation: 'Apply',
  apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
  subresource: subresourceOf(part),
  time: before !== undefined && isSameSet(before.paths, paths) ? before.time : time,
  paths,
})

const refuseConflicts = (
  others: readonly FieldOwner[],
  isChanged: (path: FieldPath) => boolean,
): void => {
  const conflicts = others.flatMap((owner) => {
    const fields = [...owner.paths].filter(isChanged).map(pathText)
    const using = owner.operation === 'Apply' ? '' : ` using ${owner.apiVersion}`
    return fields.length === 0 ? [] : [{ who: `${JSON.stringify(owner.manager)}${using}`, fields }]
  })
  const count = conflicts.reduce((sum, { fields }) => sum + fields.length, 0)
  if (count === 0) return
  const texts = conflicts.map(({ who, fields }) =>
    count === 1
      ? `conflict with ${who}: ${fields.join('')}`
      : `conflicts with ${who}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
  )
  throw new ApiError(
    409,
    'Conflict',
    `Apply failed with ${count} ${count === 1 ? 'conflict' : 'conflicts'}: ${texts.join('\n')}`,
    {
      causes: conflicts.flatMap(({ who, fields }) =>
        fields.map((field) => ({
          reason: 'FieldManagerConflict',
          message: `conflict with ${who}`,
          field,
        })),
      ),
    },
  )
}

const withManagedFields = (object: Json, owners: readonly FieldOwner[]): Json => {
  if (!isJsonObject(object)) return object
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {}
  return { ...object, metadata: { ...metadata, managedFields: encodeOwners(owners) } }
}

/** The configuration without nulls, which say nothing, and without directives of strategic merge, which mean nothing here. */
const bare = (value: Json): Json => {
  if (isJsonList(value)) return value.map(bare)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, Json][] =>
      member === undefined || member === null || key.startsWith('$') ? [] : [[key, bare(member)]],
    ),
  )
}

const isSameSet = (left: ReadonlySet<string>, right: ReadonlySet<string>): boolean =>
  left.size === right.size && [...left].every((item) => right.has(item))
