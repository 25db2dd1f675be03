// RuntimeClass: a way to run containers that pods ask for by name, what it costs and where it is.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../names.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import type { ResourceList, Toleration } from '../pod-spec/pod-spec.ts'
import { allVerbs } from '../update-rules.ts'
import { invalid, invalidEach } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface RuntimeClass extends KubeObject {
  readonly handler: string
  readonly overhead?: { readonly podFixed?: ResourceList }
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly tolerations?: readonly Toleration[]
  }
}

export const runtimeClassType: ResourceType<RuntimeClass> = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...invalidEach('handler', object.handler, dns1123LabelProblems(object.handler ?? '')),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(object.handler === old.handler
      ? []
      : [invalid('handler', object.handler, 'field is immutable')]),
  ],
  columns: [nameColumn, column('Handler', 'What the container runtime calls it.'), ageColumn],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.handler,
    ageOf(object.metadata.creationTimestamp, now),
  ],
}
