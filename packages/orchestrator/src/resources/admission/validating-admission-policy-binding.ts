// ValidatingAdmissionPolicyBinding: where the rules of a policy hold, with which values, and what happens when one is broken.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems, pathSegmentProblems } from '../names.ts'
import type {
  Cell,
  Column,
  FieldError,
  KubeObject,
  LabelSelector,
  ResourceType,
} from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  oneOf,
  required,
} from '../validation/field-error.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import {
  type MatchResources,
  matchResourcesDefaults,
  validateMatchResources,
} from './match-resources.ts'

export interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: LabelSelector
  /** Allow or Deny. */
  readonly parameterNotFoundAction?: string
}
/** What bindings of both kinds of policies have. */
export interface BindingScope {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
}
export interface ValidatingAdmissionPolicyBinding extends KubeObject {
  readonly spec: BindingScope & {
    /** Deny, Warn, Audit. */
    readonly validationActions?: readonly string[]
  }
}

const actions = ['Audit', 'Deny', 'Warn']

type PolicyBinding = KubeObject & { readonly spec: BindingScope }

export const bindingDefaults = <T extends PolicyBinding>(object: T): T => {
  const { matchResources } = object.spec
  if (matchResources === undefined) return object
  return {
    ...object,
    spec: { ...object.spec, matchResources: matchResourcesDefaults(matchResources) },
  }
}

export const validateBindingScope = (spec: BindingScope): FieldError[] => [
  ...validatePolicyName(spec.policyName ?? ''),
  ...(spec.paramRef === undefined ? [] : validateParamRef(spec.paramRef, 'spec.paramRef')),
  ...(spec.matchResources === undefined
    ? []
    : validateMatchResources(spec.matchResources, 'spec.matchResources')),
]

export const bindingColumns: readonly Column[] = [
  nameColumn,
  column('PolicyName', 'The policy that is bound.'),
  column('ParamRef', 'The object that its expressions take values from.'),
  ageColumn,
]

export const bindingCells = ({ metadata, spec }: PolicyBinding, now: number): readonly Cell[] => [
  metadata.name ?? '',
  spec.policyName ?? '',
  paramText(spec.paramRef),
  ageOf(metadata.creationTimestamp, now),
]

export const validatingAdmissionPolicyBindingType: ResourceType<ValidatingAdmissionPolicyBinding> =
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
    singular: 'validatingadmissionpolicybinding',
    shortNames: [],
    categories: ['api-extensions'],
    namespaced: false,
    verbs: allVerbs,
    subresources: {},
    defaults: bindingDefaults,
    validate: ({ metadata, spec }) => [
      ...validateMetadata(metadata, dns1123SubdomainProblems),
      ...validateBindingScope(spec),
      ...validateActions(spec.validationActions ?? [], 'spec.validationActions'),
    ],
    validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
    columns: bindingColumns,
    cells: bindingCells,
  }

const paramText = (ref: ParamRef | undefined): string => {
  if (ref === undefined) return '<unset>'
  const { name = '', namespace = '' } = ref
  if (name !== '') return namespace === '' ? name : `${namespace}/${name}`
  return ref.selector === undefined ? '' : '*'
}

function validatePolicyName(name: string): FieldError[] {
  const field = 'spec.policyName'
  return name === '' ? [required(field)] : invalidEach(field, name, dns1123SubdomainProblems(name))
}

const validateParamRef = (ref: ParamRef, field: string): FieldError[] => {
  const { name = '', selector, parameterNotFoundAction } = ref
  const errors: FieldError[] = []
  const exclusive = 'name and selector are mutually exclusive'
  if (name !== '') {
    errors.push(...invalidEach(`${field}.name`, name, pathSegmentProblems(name)))
    if (selector !== undefined) errors.push(forbidden(`${field}.name`, exclusive))
  }
  if (selector !== undefined) {
    errors.push(...validateLabelSelector(`${field}.selector`, selector))
    if (name !== '') errors.push(forbidden(`${field}.selector`, exclusive))
  } else if (name === '') {
    errors.push(required(field, 'one of name or selector must be specified'))
  }
  const at = `${field}.parameterNotFoundAction`
  return [...errors, ...oneOf(at, parameterNotFoundAction, ['Allow', 'Deny'])]
}

const validateActions = (list: readonly string[], field: string): FieldError[] => {
  const errors: FieldError[] = []
  for (const [index, action] of list.entries()) {
    const at = `${field}[${index}]`
    if (!actions.includes(action)) errors.push(notSupported(at, action, actions))
    if (list.indexOf(action) < index) errors.push(duplicate(at, action))
  }
  if (list.includes('Deny') && list.includes('Warn')) {
    const detail =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
    errors.push(invalid(field, list, detail))
  }
  if (list.length === 0) errors.push(required(field, 'at least one validation action is required'))
  return errors
}
