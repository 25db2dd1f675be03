// Refuses configurations of webhooks with conditions that do not compile.
import type { WebhookConfiguration } from '../../resources/admission/webhook-configuration.ts'
import type { ResourceType } from '../../resources/object.ts'
import { invalid } from '../api-errors.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

export class WebhookConditions implements AdmissionPlugin {
  readonly name = 'WebhookConditions'

  handles(operation: AdmissionOperation, { group, plural }: ResourceType): boolean {
    return (
      operation !== 'DELETE' &&
      group === 'admissionregistration.k8s.io' &&
      plural.endsWith('webhookconfigurations')
    )
  }

  async validate({ type, name, object }: AdmissionRequest): Promise<void> {
    const { webhooks = [] } = object as WebhookConfiguration
    if (webhooks.every(({ matchConditions = [] }) => matchConditions.length === 0)) return
    const { Conditions } = await import('../webhooks/match-conditions.ts')
    const errors = new Conditions().problems(webhooks)
    if (errors.length > 0) throw invalid(type, name, errors)
  }
}
