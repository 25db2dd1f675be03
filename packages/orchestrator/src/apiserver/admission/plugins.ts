// The admission plugins, in the order in which they are asked; upstream's order where upstream has them.
import type { AccessControl } from '../access/access-control.ts'
import { customResourceDefinitionType } from '../../resources/custom/custom-resource-definition.ts'
import type { Registry } from '../registry/registry.ts'
import { AccountTokenSecret } from './account-token-secret.ts'
import type { AdmissionPlugin } from './admission.ts'
import { CustomResourceAdmission } from './custom-resource-admission.ts'
import { NamespaceLifecycle } from './namespace-lifecycle.ts'
import { RoleEscalation } from './role-escalation.ts'
import { ServiceAddresses } from './service-addresses.ts'

/** What plugins look into; to be called when a request comes, not before. */
export interface AdmissionContext {
  /** The registry of a kind of the core group. */
  readonly core: (plural: string) => Registry
  /** undefined: the kind is not served. */
  readonly find: (ref: {
    readonly group: string
    readonly version: string
    readonly plural: string
  }) => Registry | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
  /** undefined: everybody may do everything. */
  readonly access: (() => AccessControl) | undefined
}

export const admissionPlugins = (context: AdmissionContext): readonly AdmissionPlugin[] => {
  const { core, find, now, access } = context
  return [
    new NamespaceLifecycle(() => core('namespaces')),
    new ServiceAddresses(() => core('services'), now),
    new CustomResourceAdmission(() => find(customResourceDefinitionType)),
    ...(access === undefined
      ? []
      : [
          new AccountTokenSecret({
            accounts: () => core('serviceaccounts'),
            tokens: () => access().serviceAccountTokens,
            rootCertificate: () => access().rootCertificate,
          }),
          new RoleEscalation(() => access().rbac),
        ]),
  ]
}
