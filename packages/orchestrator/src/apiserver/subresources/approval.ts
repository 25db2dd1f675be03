// certificatesigningrequests/approval: replaces the conditions and nothing else.
import type { CertificateSigningRequest } from '../../resources/certificate-signing-request.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { invalid } from '../api-errors.ts'
import { timestamp } from '../registry/object-metadata.ts'

/** Throws ApiError Invalid where it would be approved and denied, or a decision would be taken back. */
export const withApproval = (current: Stored<KubeObject>, sent: KubeObject): KubeObject => {
  const before = current as Stored<CertificateSigningRequest>
  const { conditions = [] } = (sent as CertificateSigningRequest).status
  const has = (type: string, list: typeof conditions): boolean =>
    list.some((one) => one.type === type)
  const decisions = ['Approved', 'Denied']
  const refuse = (message: string): Error =>
    invalid({ group: 'certificates.k8s.io', kind: before.kind }, before.metadata.name, [
      { reason: 'FieldValueInvalid', field: 'status.conditions', message },
    ])
  if (decisions.every((type) => has(type, conditions))) {
    throw refuse('Invalid value: "Approved": Approved and Denied conditions are mutually exclusive')
  }
  for (const type of decisions) {
    if (has(type, before.status.conditions ?? []) && !has(type, conditions)) {
      throw refuse(`Forbidden: updates may not remove a condition of type ${JSON.stringify(type)}`)
    }
  }
  const now = timestamp(Date.now())
  const dated = conditions.map((one) => ({
    ...one,
    lastUpdateTime: one.lastUpdateTime ?? now,
    lastTransitionTime: one.lastTransitionTime ?? now,
  }))
  return { ...before, status: { ...before.status, conditions: dated } } as KubeObject
}
