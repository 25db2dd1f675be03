// MutatingAdmissionPolicyBinding: where the changes of a policy are made, and with which values.
import { dns1123SubdomainProblems } from '../names.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import { servedAs } from '../served-version.ts'
import { allVerbs } from '../update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import {
  bindingCells,
  bindingColumns,
  bindingDefaults,
  type BindingScope,
  validateBindingScope,
} from './validating-admission-policy-binding.ts'

export interface MutatingAdmissionPolicyBinding extends KubeObject {
  readonly spec: BindingScope
}

export const mutatingAdmissionPolicyBindingType: ResourceType<MutatingAdmissionPolicyBinding> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1beta1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  singular: 'mutatingadmissionpolicybinding',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: bindingDefaults,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...validateBindingScope(spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: bindingColumns,
  cells: bindingCells,
}

export const oldMutatingAdmissionPolicyBindingType: ResourceType = servedAs(
  mutatingAdmissionPolicyBindingType,
  { version: 'v1alpha1' },
)
