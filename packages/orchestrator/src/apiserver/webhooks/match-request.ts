// Whether a webhook or a policy is asked about a request: by its rules and its selectors.
import type { MatchResources, NamedRequestRule } from '../../resources/admission/match-resources.ts'
import type { Webhook } from '../../resources/admission/webhook-configuration.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { KubeObject, ObjectMeta, ResourceType } from '../../resources/object.ts'
import type { AdmissionRequest } from '../admission/admission.ts'

export interface MatchContext {
  /** Labels of a namespace; undefined: it is not there. */
  readonly namespaceLabels: (name: string) => ObjectMeta['labels']
  /** The other versions in which a kind is served. */
  readonly versionsOf: (type: ResourceType) => readonly ResourceType[]
}

/** Webhooks cannot keep anybody from mending webhooks. */
const isExempt = (type: ResourceType): boolean => type.group === 'admissionregistration.k8s.io'

export const matchesRequest = (
  webhook: Webhook,
  request: AdmissionRequest,
  context: MatchContext,
): boolean => {
  if (isExempt(request.type)) return false
  const { rules = [], ...match } = webhook
  return matchesResources({ ...match, resourceRules: rules }, request, context)
}

/** Whether one of the rules and none of those of exceptions is about the request, and the selectors are too. */
export const matchesResources = (
  match: MatchResources,
  request: AdmissionRequest,
  context: MatchContext,
): boolean => {
  const types = match.matchPolicy === 'Exact' ? [request.type] : context.versionsOf(request.type)
  const has = (rules: readonly NamedRequestRule[] = []): boolean =>
    rules.some((rule) => types.some((type) => matchesRule(rule, type, request)))
  if (!has(match.resourceRules) || has(match.excludeResourceRules)) return false
  return (
    matchesNamespace(match, request, context) &&
    [request.object, request.oldObject].some((object) => matchesObject(match, object))
  )
}

const matchesRule = (
  rule: NamedRequestRule,
  type: ResourceType,
  { operation, subresource, namespace, name }: AdmissionRequest,
): boolean => {
  const has = (list: readonly string[] | undefined, value: string): boolean =>
    (list ?? []).some((one) => one === '*' || one === value)
  const scope = type.namespaced ? 'Namespaced' : 'Cluster'
  const isInScope =
    rule.scope === undefined ||
    rule.scope === '*' ||
    rule.scope === (type.plural === 'namespaces' || namespace === undefined ? 'Cluster' : scope)
  const { resourceNames = [] } = rule
  return (
    isInScope &&
    (resourceNames.length === 0 || resourceNames.includes(name)) &&
    has(rule.operations, operation) &&
    has(rule.apiGroups, type.group) &&
    has(rule.apiVersions, type.version) &&
    (rule.resources ?? []).some((pattern) => matchesResource(pattern, type.plural, subresource))
  )
}

/** `pods`, `pods/status`, `pods/*`, any resource with a subresource, `*`, everything. */
const matchesResource = (pattern: string, plural: string, subresource: string): boolean => {
  const [resource = '', wanted = ''] = pattern.split('/', 2)
  if (resource !== '*' && resource !== plural) return false
  return pattern.includes('/') && wanted === '*' ? true : wanted === subresource
}

const matchesNamespace = (
  { namespaceSelector }: MatchResources,
  { type, namespace, object }: AdmissionRequest,
  { namespaceLabels }: MatchContext,
): boolean => {
  if (namespaceSelector === undefined) return true
  if (type.group === '' && type.plural === 'namespaces') {
    return matchesSelector(namespaceSelector, object.metadata.labels)
  }
  return namespace === undefined || matchesSelector(namespaceSelector, namespaceLabels(namespace))
}

const matchesObject = (
  { objectSelector }: MatchResources,
  object: KubeObject | undefined,
): boolean =>
  object !== undefined &&
  (objectSelector === undefined || matchesSelector(objectSelector, object.metadata?.labels))
