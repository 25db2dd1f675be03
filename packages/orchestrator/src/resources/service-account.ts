// ServiceAccount: the identity pods run under. Every namespace has one named `default`.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { KubeObject, ResourceType } from './object.ts'
import type { ObjectReference } from './event.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface ServiceAccount extends KubeObject {
  readonly secrets?: readonly ObjectReference[]
  readonly imagePullSecrets?: readonly { readonly name?: string }[]
  readonly automountServiceAccountToken?: boolean
}

export const serviceAccountType: ResourceType<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: (object) => validateMetadata(object.metadata, dns1123SubdomainProblems),
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [nameColumn, column('Secrets', 'The number of secrets the account may use.'), ageColumn],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.secrets?.length ?? 0,
    ageOf(object.metadata.creationTimestamp, now),
  ],
}
