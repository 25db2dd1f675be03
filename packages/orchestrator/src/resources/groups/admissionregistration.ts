// The kinds of the group admissionregistration.k8s.io.
import {
  mutatingWebhookConfigurationType,
  validatingWebhookConfigurationType,
} from '../admission/webhook-configuration.ts'
import type { ResourceType } from '../object.ts'

export const admissionregistrationTypes: readonly ResourceType[] = [
  mutatingWebhookConfigurationType,
  validatingWebhookConfigurationType,
]
