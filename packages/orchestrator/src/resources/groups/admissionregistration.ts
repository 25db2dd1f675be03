// The kinds of the group admissionregistration.k8s.io.
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
]
