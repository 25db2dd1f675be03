// ValidatingAdmissionPolicy: rules in CEL that objects must keep to be stored. Whether its expressions compile is a matter of admission,
// where the language is.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1035LabelProblems, dns1123SubdomainProblems, qualifiedNameProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import {
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  oneOf,
  required,
} from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { type MatchCondition, validateMatchConditions } from './match-conditions.ts'
import {
  type MatchResources,
  matchResourcesDefaults,
  validateMatchResources,
} from './match-resources.ts'

export interface ParamKind {
  readonly apiVersion?: string
  readonly kind?: string
}
export interface Validation {
  readonly expression: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
}
export interface AuditAnnotation {
  readonly key: string
  readonly valueExpression: string
}
export interface PolicyVariable {
  readonly name: string
  readonly expression: string
}
/** What policies of both kinds have: whom they are about, and what their expressions know. */
export interface PolicyScope {
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly MatchCondition[]
  readonly variables?: readonly PolicyVariable[]
  readonly failurePolicy?: string
}
export interface ValidatingAdmissionPolicySpec extends PolicyScope {
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly AuditAnnotation[]
}
export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}
export interface ValidatingAdmissionPolicy extends KubeObject {
  readonly spec: ValidatingAdmissionPolicySpec
  readonly status?: {
    readonly observedGeneration?: number
    readonly typeChecking?: { readonly expressionWarnings?: readonly ExpressionWarning[] }
  }
}

const auditAnnotationsMax = 20
const valueExpressionLengthMax = 5 * 1024
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const reservedWords = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

export const validatingAdmissionPolicyType: ResourceType<ValidatingAdmissionPolicy> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => ({ ...object, spec: scopeDefaults(object.spec) }),
  prepareForCreate: (object) => observed(withFirstGeneration(object)),
  prepareForUpdate: (object, old) => {
    const { typeChecking = {} } = object.status ?? {}
    const updated = prepareSpecUpdate(object, old)
    return observed({ ...updated, status: { ...updated.status, typeChecking } })
  },
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...validateScope(spec),
    ...validateRules(spec, metadata.name ?? ''),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    { ...column('Validations', 'How many rules there are in it.'), type: 'integer' },
    column('ParamKind', 'The kind of objects that its rules take values from.'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    spec.validations?.length ?? 0,
    paramKindText(spec),
    ageOf(metadata.creationTimestamp, now),
  ],
}

/** There is nothing to wait for: a policy is in force once it is stored. */
const observed = (policy: ValidatingAdmissionPolicy): ValidatingAdmissionPolicy => ({
  ...policy,
  status: {
    typeChecking: {},
    ...policy.status,
    ...(policy.metadata.generation === undefined
      ? {}
      : { observedGeneration: policy.metadata.generation }),
  },
})

export const scopeDefaults = <T extends PolicyScope>(spec: T): T => {
  const { matchConstraints } = spec
  const matched =
    matchConstraints === undefined
      ? {}
      : { matchConstraints: matchResourcesDefaults(matchConstraints) }
  return { failurePolicy: 'Fail', ...spec, ...matched }
}

export const paramKindText = ({ paramKind }: PolicyScope): string =>
  paramKind === undefined ? '<unset>' : `${paramKind.apiVersion ?? ''}/${paramKind.kind ?? ''}`

export const validateScope = (spec: PolicyScope): FieldError[] => [
  ...oneOf('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore']),
  ...(spec.paramKind === undefined ? [] : validateParamKind(spec.paramKind, 'spec.paramKind')),
  ...validateConstraints(spec.matchConstraints),
  ...validateMatchConditions(spec.matchConditions ?? [], 'spec.matchConditions'),
  ...(spec.variables ?? []).flatMap((one, index) =>
    validateVariable(one, `spec.variables[${index}]`),
  ),
]

const validateParamKind = (
  { apiVersion = '', kind = '' }: ParamKind,
  field: string,
): FieldError[] => {
  const errors: FieldError[] = []
  const at = `${field}.apiVersion`
  const parts = apiVersion.split('/')
  const version = parts.at(-1) ?? ''
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  if (apiVersion === '') errors.push(required(at))
  else if (parts.length > 2) {
    errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  } else {
    if (group !== '') errors.push(...invalidEach(at, group, dns1123SubdomainProblems(group)))
    if (version === '') errors.push(invalid(at, apiVersion, 'version must be specified'))
    else errors.push(...invalidEach(at, version, dns1035LabelProblems(version)))
  }
  if (kind === '') return [...errors, required(`${field}.kind`)]
  const problems = dns1035LabelProblems(kind.toLowerCase())
  if (problems.length > 0) {
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`
    errors.push(invalid(`${field}.kind`, kind, detail))
  }
  return errors
}

const validateConstraints = (match: MatchResources | undefined): FieldError[] => {
  const field = 'spec.matchConstraints'
  if (match === undefined) return [required(field)]
  const errors = validateMatchResources(match, field)
  if ((match.resourceRules ?? []).length === 0) errors.push(required(`${field}.resourceRules`))
  return errors
}

const validateVariable = ({ name, expression }: PolicyVariable, field: string): FieldError[] => {
  const errors: FieldError[] = []
  if (name.trim() === '') errors.push(required(`${field}.name`, 'name is not specified'))
  else if (!identifier.test(name) || reservedWords.has(name)) {
    errors.push(invalid(`${field}.name`, name, 'name is not a valid CEL identifier'))
  }
  if (expression.trim() === '') {
    errors.push(required(`${field}.expression`, 'expression is not specified'))
  }
  return errors
}

const validateRules = (spec: ValidatingAdmissionPolicySpec, name: string): FieldError[] => {
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item'
    return [required('spec.validations', detail), required('spec.auditAnnotations', detail)]
  }
  const errors = validations.flatMap((one, index) =>
    validateValidation(one, `spec.validations[${index}]`),
  )
  if (auditAnnotations.length > auditAnnotationsMax) {
    const detail = `must not have more than ${auditAnnotationsMax} auditAnnotations`
    errors.push(invalid('spec.auditAnnotations', auditAnnotations, detail))
  }
  const keys = auditAnnotations.map(({ key }) => key)
  for (const [index, one] of auditAnnotations.entries()) {
    const field = `spec.auditAnnotations[${index}]`
    errors.push(...validateAuditAnnotation(one, name, field))
    if (keys.indexOf(one.key) < index) errors.push(duplicate(`${field}.key`, one.key))
  }
  return errors
}

const validateValidation = (validation: Validation, field: string): FieldError[] => {
  const { expression, message = '', messageExpression = '', reason } = validation
  const errors: FieldError[] = []
  if (expression.trim() === '') {
    errors.push(required(`${field}.expression`, 'expression is not specified'))
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    const detail = 'must be non-empty if specified'
    errors.push(invalid(`${field}.messageExpression`, messageExpression, detail))
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${field}.message`, message, 'message must be non-empty if specified'))
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${field}.message`, message, 'message must not contain line breaks'))
  }
  if (reason !== undefined && reason !== '' && !reasons.includes(reason)) {
    errors.push(notSupported(`${field}.reason`, reason, reasons))
  }
  return errors
}

const validateAuditAnnotation = (
  { key, valueExpression }: AuditAnnotation,
  policy: string,
  field: string,
): FieldError[] => {
  const errors =
    policy === ''
      ? [invalid(`${field}.key`, key, 'requires metadata.name be non-empty')]
      : invalidEach(`${field}.key`, `${policy}/${key}`, qualifiedNameProblems(`${policy}/${key}`))
  const { length } = valueExpression.trim()
  const at = `${field}.valueExpression`
  if (length === 0) errors.push(required(at, 'valueExpression is not specified'))
  else if (length > valueExpressionLengthMax) {
    errors.push(required(at, `must not exceed ${valueExpressionLengthMax} bytes in length`))
  }
  return errors
}
