// ControllerRevision: what the template of a StatefulSet or DaemonSet was at one time, for history and undo.
import { ageColumn, column, nameColumn, orNone } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import { allVerbs } from '../update-rules.ts'
import { invalid, notNegative, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface ControllerRevision extends KubeObject {
  /** A strategic merge patch that brings the template back. */
  readonly data?: Json
  readonly revision: number
}

export const controllerRevisionType: ResourceType<ControllerRevision> = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: ({ metadata, data, revision }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...(data === undefined ? [required('data', 'data is mandatory')] : []),
    ...notNegative('revision', revision),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(jsonEqual(object.data, old.data)
      ? []
      : [invalid('data', object.data, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('Controller', 'Whose template it is.'),
    column('Revision', 'Its number: a larger one is newer.', 'integer'),
    ageColumn,
  ],
  cells: ({ metadata, revision }, now) => [
    metadata.name ?? '',
    controllerText(metadata.ownerReferences?.find(({ controller }) => controller === true)),
    revision,
    ageOf(metadata.creationTimestamp, now),
  ],
}

/** `statefulset.apps/web` */
const controllerText = (
  owner: { apiVersion: string; kind: string; name: string } | undefined,
): string => {
  if (owner === undefined) return orNone(undefined)
  const [group = '', version] = owner.apiVersion.split('/')
  const kind = owner.kind.toLowerCase()
  return version === undefined ? `${kind}/${owner.name}` : `${kind}.${group}/${owner.name}`
}
