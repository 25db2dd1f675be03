// MutatingWebhookConfiguration and ValidatingWebhookConfiguration: who else is asked before an object is stored.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { type MatchCondition, validateMatchConditions } from './match-conditions.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { FieldError, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import {
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface RequestRule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly scope?: string
}
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly path?: string
  readonly port?: number
}
export interface WebhookClientConfig {
  readonly url?: string
  readonly service?: ServiceReference
  /** PEM in base64. */
  readonly caBundle?: string
}
export interface Webhook {
  readonly name: string
  readonly clientConfig: WebhookClientConfig
  readonly rules?: readonly RequestRule[]
  readonly failurePolicy?: string
  readonly matchPolicy?: string
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
  readonly sideEffects?: string
  readonly timeoutSeconds?: number
  readonly admissionReviewVersions: readonly string[]
  readonly reinvocationPolicy?: string
  readonly matchConditions?: readonly MatchCondition[]
}
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[]
}

const timeoutSecondsMax = 30
/** Scheme, user, host with an optional port, path, query, fragment. */
const urlPattern =
  /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#@]*)@)?(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::\d{1,5})?(?:\/[^?#\s]*)?(?:\?([^#]*))?(?:#(.*))?$/

const configurationType = (
  side: 'Mutating' | 'Validating',
): ResourceType<WebhookConfiguration> => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: `${side}WebhookConfiguration`,
  plural: `${side.toLowerCase()}webhookconfigurations`,
  singular: `${side.toLowerCase()}webhookconfiguration`,
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => ({
    ...object,
    ...(object.webhooks === undefined
      ? {}
      : { webhooks: object.webhooks.map((webhook) => webhookDefaults(webhook, side)) }),
  }),
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...(object.webhooks ?? []).flatMap((webhook, index) =>
      validateWebhook(webhook, `webhooks[${index}]`),
    ),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    { ...column('Webhooks', 'How many there are in it.'), type: 'integer' },
    ageColumn,
  ],
  cells: ({ metadata, webhooks }, now) => [
    metadata.name ?? '',
    webhooks?.length ?? 0,
    ageOf(metadata.creationTimestamp, now),
  ],
})

export const mutatingWebhookConfigurationType: ResourceType<WebhookConfiguration> =
  configurationType('Mutating')
export const validatingWebhookConfigurationType: ResourceType<WebhookConfiguration> =
  configurationType('Validating')

const webhookDefaults = (webhook: Webhook, side: 'Mutating' | 'Validating'): Webhook => ({
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 10,
  ...(side === 'Mutating' ? { reinvocationPolicy: 'Never' } : {}),
  ...webhook,
  ...(webhook.rules === undefined
    ? {}
    : { rules: webhook.rules.map((rule) => ({ scope: '*', ...rule })) }),
  clientConfig:
    webhook.clientConfig.service === undefined
      ? webhook.clientConfig
      : { ...webhook.clientConfig, service: { port: 443, ...webhook.clientConfig.service } },
})

const choices: readonly (readonly [keyof Webhook, readonly string[]])[] = [
  ['failurePolicy', ['Fail', 'Ignore']],
  ['matchPolicy', ['Equivalent', 'Exact']],
  ['sideEffects', ['None', 'NoneOnDryRun']],
  ['reinvocationPolicy', ['IfNeeded', 'Never']],
]
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']

const validateWebhook = (webhook: Webhook, field: string): FieldError[] => {
  const errors: FieldError[] = []
  const { name, sideEffects, timeoutSeconds = 10, admissionReviewVersions: versions } = webhook
  if (name.split('.').length < 3) {
    errors.push(
      invalid(
        `${field}.name`,
        name,
        'should be a domain with at least three segments separated by dots',
      ),
    )
  }
  errors.push(...invalidEach(`${field}.name`, name, dns1123SubdomainProblems(name)))
  for (const [member, supported] of choices) {
    const value = webhook[member]
    if (typeof value === 'string' && !supported.includes(value)) {
      errors.push(notSupported(`${field}.${member}`, value, supported))
    }
  }
  if (sideEffects === undefined) {
    errors.push(required(`${field}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  }
  if (timeoutSeconds < 1 || timeoutSeconds > timeoutSecondsMax) {
    errors.push(
      invalid(
        `${field}.timeoutSeconds`,
        timeoutSeconds,
        `the timeout value must be between 1 and ${timeoutSecondsMax} seconds`,
      ),
    )
  }
  if (versions.length === 0) {
    errors.push(required(`${field}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  } else if (!versions.includes('v1')) {
    errors.push(
      invalid(`${field}.admissionReviewVersions`, versions, 'must include at least one of v1'),
    )
  }
  for (const [index, rule] of (webhook.rules ?? []).entries()) {
    errors.push(...validateRule(rule, `${field}.rules[${index}]`))
  }
  return [
    ...errors,
    ...validateMatchConditions(webhook.matchConditions ?? [], `${field}.matchConditions`),
    ...validateClientConfig(webhook.clientConfig, `${field}.clientConfig`),
  ]
}

export const validateRule = (rule: RequestRule, field: string): FieldError[] => {
  const errors: FieldError[] = []
  for (const list of ['operations', 'apiGroups', 'apiVersions', 'resources'] as const) {
    if ((rule[list] ?? []).length === 0) errors.push(required(`${field}.${list}`))
  }
  for (const [index, operation] of (rule.operations ?? []).entries()) {
    if (!operations.includes(operation)) {
      errors.push(notSupported(`${field}.operations[${index}]`, operation, operations))
    }
  }
  return errors
}

export const validateClientConfig = (config: WebhookClientConfig, field: string): FieldError[] => {
  const { url, service } = config
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')]
  }
  if (url === undefined) {
    return service?.path === undefined || service.path.startsWith('/')
      ? []
      : [invalid(`${field}.service.path`, service.path, "must start with a '/'")]
  }
  const parts = urlPattern.exec(url)
  if (parts === null) return [required(`${field}.url`, 'url must be a valid URL')]
  const [, scheme, user, query, fragment] = parts
  if (scheme !== 'https') {
    return [
      invalid(
        `${field}.url`,
        scheme,
        "'https' is the only allowed URL scheme; desired format: https://host[/path]",
      ),
    ]
  }
  const refuse = (what: string): FieldError[] => [
    forbidden(`${field}.url`, `${what} not permitted in the URL`),
  ]
  if (user !== undefined) return refuse('user information is')
  if (query !== undefined) return refuse('query parameters are')
  return fragment === undefined ? [] : refuse('fragments are')
}
