// CustomResourceDefinition: a kind that a user brings. What is served of it is made by custom-type.ts.
import type { WebhookClientConfig } from '../admission/webhook-configuration.ts'
import { column, nameColumn } from '../columns.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { Condition, KubeObject, ResourceType } from '../object.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import type { JsonSchema } from './json-schema.ts'
import { validateDefinition, validateDefinitionUpdate } from './validate-definition.ts'

export interface CustomNames {
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly kind: string
  readonly listKind?: string
  readonly categories?: readonly string[]
}
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
  readonly jsonPath: string
}
export interface CustomVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema }
  readonly subresources?: {
    readonly status?: unknown
    readonly scale?: {
      readonly specReplicasPath: string
      readonly statusReplicasPath: string
      readonly labelSelectorPath?: string
    }
  }
  readonly additionalPrinterColumns?: readonly PrinterColumn[]
  readonly selectableFields?: readonly { readonly jsonPath: string }[]
}
/** How objects of one version are made of those of another: by their apiVersion alone, or by a webhook. */
export interface CustomConversion {
  readonly strategy: string
  readonly webhook?: {
    readonly clientConfig?: WebhookClientConfig
    readonly conversionReviewVersions: readonly string[]
  }
}
export interface CustomResourceDefinition extends KubeObject {
  readonly spec: {
    readonly group: string
    readonly names: CustomNames
    readonly scope: string
    readonly versions: readonly CustomVersion[]
    readonly conversion?: CustomConversion
    readonly preserveUnknownFields?: boolean
  }
  readonly status: {
    readonly conditions?: readonly Condition[]
    readonly acceptedNames?: CustomNames
    readonly storedVersions?: readonly string[]
  }
}

/** Holds a definition until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

export const customResourceDefinitionType: ResourceType<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: definitionDefaults,
  prepareForCreate: prepareDefinition,
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems, 'any'),
    ...validateDefinition(object),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateDefinitionUpdate(object, old),
  ],
  columns: [nameColumn, { ...column('Created At', 'When it was made.'), type: 'date' }],
  cells: ({ metadata }) => [metadata.name ?? '', metadata.creationTimestamp ?? ''],
}

function definitionDefaults(object: CustomResourceDefinition): CustomResourceDefinition {
  const { spec } = object
  const { names } = spec
  const named = {
    singular: names.kind.toLowerCase(),
    listKind: `${names.kind}List`,
    ...names,
  }
  return {
    ...object,
    spec: {
      ...spec,
      names: names.kind === '' ? names : named,
      conversion: conversionDefaults(spec.conversion ?? { strategy: 'None' }),
    },
  }
}

function conversionDefaults(conversion: CustomConversion): CustomConversion {
  const { webhook } = conversion
  const service = webhook?.clientConfig?.service
  if (webhook === undefined || service === undefined || service.port !== undefined)
    return conversion
  const clientConfig = { ...webhook.clientConfig, service: { ...service, port: 443 } }
  return { ...conversion, webhook: { ...webhook, clientConfig } }
}

function prepareDefinition(object: CustomResourceDefinition): CustomResourceDefinition {
  const finalizers = object.metadata.finalizers ?? []
  const storage = object.spec.versions.filter((version) => version.storage)
  return {
    ...withFirstGeneration(object),
    metadata: {
      ...object.metadata,
      generation: 1,
      finalizers: finalizers.includes(cleanupFinalizer)
        ? finalizers
        : [...finalizers, cleanupFinalizer],
    },
    status: { storedVersions: storage.map((version) => version.name) },
  }
}
