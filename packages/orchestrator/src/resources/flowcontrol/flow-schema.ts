// FlowSchema and PriorityLevelConfiguration: how upstream sorts requests into levels. Kept and shown for programs that bring them; the
// levels of this server are fixed.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid, notEmpty, oneOf } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface FlowSchema extends KubeObject {
  readonly spec: {
    readonly priorityLevelConfiguration: { readonly name: string }
    readonly matchingPrecedence?: number
    readonly distinguisherMethod?: { readonly type: string }
  }
  readonly status?: unknown
}

export interface PriorityLevelConfiguration extends KubeObject {
  readonly spec: {
    readonly type: string
    readonly limited?: {
      readonly nominalConcurrencyShares?: number
      readonly limitResponse?: {
        readonly type?: string
        readonly queuing?: {
          readonly queues?: number
          readonly handSize?: number
          readonly queueLengthLimit?: number
        }
      }
    }
  }
  readonly status?: unknown
}

const group = 'flowcontrol.apiserver.k8s.io'
const precedenceDefault = 1000
const precedenceMax = 10_000
const sharesDefault = 30

const shared = {
  group,
  version: 'v1',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
} as const

export const flowSchemaType: ResourceType<FlowSchema> = {
  ...shared,
  kind: 'FlowSchema',
  plural: 'flowschemas',
  singular: 'flowschema',
  defaults: (object) => {
    const { matchingPrecedence = 0 } = object.spec
    return matchingPrecedence !== 0
      ? object
      : { ...object, spec: { ...object.spec, matchingPrecedence: precedenceDefault } }
  },
  prepareForCreate: withFirstGeneration,
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...notEmpty(
      'spec.priorityLevelConfiguration.name',
      object.spec.priorityLevelConfiguration.name,
    ),
    ...validatePrecedence(object.spec.matchingPrecedence ?? precedenceDefault),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('PriorityLevel', 'The level that requests of this schema have.'),
    column('MatchingPrecedence', 'Schemas with lower numbers are asked first.', 'integer'),
    column('DistinguisherMethod', 'What tells the flows of this schema apart.'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    spec.priorityLevelConfiguration.name,
    spec.matchingPrecedence ?? precedenceDefault,
    spec.distinguisherMethod?.type ?? '<none>',
    ageOf(metadata.creationTimestamp, now),
  ],
}

export const priorityLevelConfigurationType: ResourceType<PriorityLevelConfiguration> = {
  ...shared,
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  defaults: (object) => {
    const { limited } = object.spec
    return limited === undefined || limited.nominalConcurrencyShares !== undefined
      ? object
      : {
          ...object,
          spec: {
            ...object.spec,
            limited: { ...limited, nominalConcurrencyShares: sharesDefault },
          },
        }
  },
  prepareForCreate: withFirstGeneration,
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...oneOf('spec.type', object.spec.type, ['Exempt', 'Limited']),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Type', 'Whether requests of the level may have to wait.'),
    column('NominalConcurrencyShares', 'The share of all seats.'),
    column('Queues', 'How many queues the level has.'),
    column('HandSize', 'How many queues a flow is dealt.'),
    column('QueueLengthLimit', 'How many requests wait in a queue.'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => {
    const { queues, handSize, queueLengthLimit } = spec.limited?.limitResponse?.queuing ?? {}
    return [
      metadata.name ?? '',
      spec.type,
      String(spec.limited?.nominalConcurrencyShares ?? '<none>'),
      String(queues ?? '<none>'),
      String(handSize ?? '<none>'),
      String(queueLengthLimit ?? '<none>'),
      ageOf(metadata.creationTimestamp, now),
    ]
  },
}

function validatePrecedence(precedence: number): FieldError[] {
  if (precedence > 0 && precedence <= precedenceMax) return []
  const detail =
    precedence <= 0 ? 'must be a positive value' : `must not be greater than ${precedenceMax}`
  return [invalid('spec.matchingPrecedence', precedence, detail)]
}
