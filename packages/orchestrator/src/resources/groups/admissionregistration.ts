// The kinds of the group admissionregistration.k8s.io.
import {
  mutatingAdmissionPolicyBindingType,
  oldMutatingAdmissionPolicyBindingType,
} from '../admission/mutating-admission-policy-binding.ts'
import {
  mutatingAdmissionPolicyType,
  oldMutatingAdmissionPolicyType,
} from '../admission/mutating-admission-policy.ts'
import { validatingAdmissionPolicyBindingType } from '../admission/validating-admission-policy-binding.ts'
import { validatingAdmissionPolicyType } from '../admission/validating-admission-policy.ts'
import {
  mutatingWebhookConfigurationType,
  validatingWebhookConfigurationType,
} from '../admission/webhook-configuration.ts'
import type { ResourceType } from '../object.ts'

export const admissionregistrationTypes: readonly ResourceType[] = [
  mutatingWebhookConfigurationType,
  validatingAdmissionPolicyType,
  validatingAdmissionPolicyBindingType,
  validatingWebhookConfigurationType,
  mutatingAdmissionPolicyType,
  mutatingAdmissionPolicyBindingType,
  oldMutatingAdmissionPolicyType,
  oldMutatingAdmissionPolicyBindingType,
]
