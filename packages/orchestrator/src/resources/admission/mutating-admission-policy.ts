// MutatingAdmissionPolicy: changes in CEL that are made to objects before they are stored. Whether its expressions compile is a matter of
// admission, where the language is.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { servedAs } from '../served-version.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { forbidden, notSupported, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import {
  paramKindText,
  type PolicyScope,
  scopeDefaults,
  validateScope,
} from './validating-admission-policy.ts'

export interface Mutation {
  /** ApplyConfiguration or JSONPatch. */
  readonly patchType: string
  readonly applyConfiguration?: { readonly expression?: string }
  readonly jsonPatch?: { readonly expression?: string }
}
export interface MutatingAdmissionPolicySpec extends PolicyScope {
  readonly mutations?: readonly Mutation[]
  /** Never or IfNeeded. */
  readonly reinvocationPolicy?: string
}
export interface MutatingAdmissionPolicy extends KubeObject {
  readonly spec: MutatingAdmissionPolicySpec
}

const patchTypes = ['ApplyConfiguration', 'JSONPatch'] as const
const reinvocationPolicies = ['IfNeeded', 'Never']
const members = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

export const mutatingAdmissionPolicyType: ResourceType<MutatingAdmissionPolicy> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1beta1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  singular: 'mutatingadmissionpolicy',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => ({ ...object, spec: scopeDefaults(object.spec) }),
  prepareForCreate: withFirstGeneration,
  prepareForUpdate: prepareSpecUpdate,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...validateScope(spec),
    ...validateMutations(spec.mutations ?? []),
    ...validateReinvocation(spec.reinvocationPolicy ?? ''),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    { ...column('Mutations', 'How many changes there are in it.'), type: 'integer' },
    column('ParamKind', 'The kind of objects that its expressions take values from.'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    spec.mutations?.length ?? 0,
    paramKindText(spec),
    ageOf(metadata.creationTimestamp, now),
  ],
}

export const oldMutatingAdmissionPolicyType: ResourceType = servedAs(mutatingAdmissionPolicyType, {
  version: 'v1alpha1',
})

/** The expression of a mutation. */
export const mutationExpression = (mutation: Mutation): string => {
  const { applyConfiguration, jsonPatch } = mutation
  const part = mutation.patchType === 'JSONPatch' ? jsonPatch : applyConfiguration
  return part?.expression ?? ''
}

function validateMutations(mutations: readonly Mutation[]): FieldError[] {
  if (mutations.length === 0) {
    return [required('spec.mutations', 'mutations must contain at least one item')]
  }
  return mutations.flatMap((one, index) => validateMutation(one, `spec.mutations[${index}]`))
}

function validateMutation(mutation: Mutation, field: string): FieldError[] {
  const type = patchTypes.find((one) => one === mutation.patchType)
  if (mutation.patchType === '') return [required(`${field}.patchType`)]
  if (type === undefined)
    return [notSupported(`${field}.patchType`, mutation.patchType, patchTypes)]
  const errors: FieldError[] = []
  const own = `${field}.${members[type]}`
  const other = type === 'JSONPatch' ? members.ApplyConfiguration : members.JSONPatch
  const expression = mutation[members[type]]?.expression
  if (mutation[members[type]] === undefined) {
    errors.push(required(own, `must be specified when patchType is ${type}`))
  } else if (expression === undefined || expression.trim() === '') {
    errors.push(required(`${own}.expression`, 'expression is not specified'))
  }
  if (mutation[other] !== undefined) {
    errors.push(forbidden(`${field}.${other}`, `must not be specified when patchType is ${type}`))
  }
  return errors
}

function validateReinvocation(policy: string): FieldError[] {
  const field = 'spec.reinvocationPolicy'
  if (policy === '') return [required(field)]
  return reinvocationPolicies.includes(policy)
    ? []
    : [notSupported(field, policy, reinvocationPolicies)]
}
