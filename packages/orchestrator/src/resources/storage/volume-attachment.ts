// VolumeAttachment: that a volume shall be attached to a node, and whether it is.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import { allVerbs, keepStatus } from '../update-rules.ts'
import { invalid, notEmpty, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface VolumeAttachment extends KubeObject {
  readonly spec: {
    readonly attacher: string
    readonly nodeName: string
    readonly source: {
      readonly persistentVolumeName?: string
      readonly inlineVolumeSpec?: unknown
    }
  }
  readonly status?: { readonly attached: boolean }
}

export const volumeAttachmentType: ResourceType<VolumeAttachment> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  prepareForCreate: (object) => ({ ...object, status: { attached: false } }),
  prepareForUpdate: keepStatus,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...notEmpty('spec.attacher', spec.attacher),
    ...notEmpty('spec.nodeName', spec.nodeName),
    ...(spec.source.persistentVolumeName === undefined && spec.source.inlineVolumeSpec === undefined
      ? [
          required(
            'spec.source',
            'must specify exactly one of inlineVolumeSpec and persistentVolumeName',
          ),
        ]
      : []),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(jsonEqual(object.spec, old.spec)
      ? []
      : [invalid('spec', object.spec, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('Attacher', 'Who attaches the volume.'),
    column('PV', 'The volume.'),
    column('Node', 'The node it is attached to.'),
    column('Attached', 'Whether it is attached.'),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    spec.attacher,
    spec.source.persistentVolumeName ?? '',
    spec.nodeName,
    status?.attached === true,
    ageOf(metadata.creationTimestamp, now),
  ],
}
