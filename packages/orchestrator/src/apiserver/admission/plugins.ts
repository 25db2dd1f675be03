// The admission plugins, in the order in which they are asked; upstream's order where upstream has them.
import type { AccessControl } from '../access/access-control.ts'
import { customResourceDefinitionType } from '../../resources/custom/custom-resource-definition.ts'
import type { Registry } from '../registry/registry.ts'
import { AdmissionPolicies, type PoliciesOptions } from './admission-policies.ts'
import { AccountTokenSecret } from './account-token-secret.ts'
import type { AdmissionPlugin } from './admission.ts'
import { CertificateChecks } from './certificate-checks.ts'
import { ClaimResize } from './claim-resize.ts'
import { CreateOnUpdate } from './create-on-update.ts'
import { CustomResourceAdmission } from './custom-resource-admission.ts'
import { DefaultIngressClass, DefaultStorageClass } from './default-classes.ts'
import { DefaultTolerations } from './default-tolerations.ts'
import { LimitRanger } from './limit-ranger.ts'
import { MutatingPolicies } from './mutating-policies.ts'
import { NamespaceLifecycle } from './namespace-lifecycle.ts'
import { NodeRestriction } from './node-restriction.ts'
import { PolicyTypeChecks } from './policy-type-checks.ts'
import { PodPriority } from './pod-priority.ts'
import { PodRuntimeClass } from './pod-runtime-class.ts'
import { PodSecurity } from './pod-security/pod-security.ts'
import { ResourceQuotas } from './resource-quota.ts'
import { RoleEscalation } from './role-escalation.ts'
import { ServiceAccountPlugin } from './service-account.ts'
import { ServiceAddresses } from './service-addresses.ts'
import { WebhookConditions } from './webhook-conditions.ts'
import { MutatingWebhooks, ValidatingWebhooks, type WebhooksOptions } from './webhooks.ts'

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
  readonly webhooks: WebhooksOptions
  readonly policies: PoliciesOptions
  /** All kinds of objects in namespaces that are stored. */
  readonly namespaced: () => readonly Registry[]
  /** Epoch milliseconds. */
  readonly now: () => number
  /** undefined: everybody may do everything. */
  readonly access: (() => AccessControl) | undefined
}

const limitRanges = { group: '', version: 'v1', plural: 'limitranges' }
const resourceQuotas = { group: '', version: 'v1', plural: 'resourcequotas' }
const storageClasses = { group: 'storage.k8s.io', version: 'v1', plural: 'storageclasses' }
const ingressClasses = { group: 'networking.k8s.io', version: 'v1', plural: 'ingressclasses' }
const priorityClasses = { group: 'scheduling.k8s.io', version: 'v1', plural: 'priorityclasses' }
const runtimeClasses = { group: 'node.k8s.io', version: 'v1', plural: 'runtimeclasses' }

export const admissionPlugins = (context: AdmissionContext): readonly AdmissionPlugin[] => {
  const { core, find, namespaced, now, access, webhooks, policies } = context
  const certificate = access === undefined ? undefined : (): string => access().rootCertificate
  return [
    ...(access === undefined ? [] : [new CreateOnUpdate(() => access().authorizer)]),
    new NamespaceLifecycle(() => core('namespaces')),
    new LimitRanger(() => find(limitRanges)),
    new ServiceAccountPlugin(core, certificate),
    new NodeRestriction(() => core('pods')),
    new PodSecurity(() => core('namespaces')),
    new PodPriority(() => find(priorityClasses)),
    new DefaultTolerations(),
    new PodRuntimeClass(() => find(runtimeClasses)),
    new DefaultStorageClass(() => find(storageClasses)),
    new ClaimResize(() => find(storageClasses)),
    new DefaultIngressClass(() => find(ingressClasses)),
    new ServiceAddresses(() => core('services'), now),
    new CustomResourceAdmission(() => find(customResourceDefinitionType)),
    ...(access === undefined ? [] : accessPlugins(context, access)),
    new MutatingPolicies(policies),
    new PolicyTypeChecks(policies.types),
    new MutatingWebhooks(webhooks),
    new WebhookConditions(),
    new AdmissionPolicies(policies),
    new ValidatingWebhooks(webhooks),
    // Last: nothing is charged for what another would refuse.
    new ResourceQuotas({ quotas: () => find(resourceQuotas), namespaced, now }),
  ]
}

/** Those that need to know who may do what. */
const accessPlugins = (
  { core }: AdmissionContext,
  access: () => AccessControl,
): readonly AdmissionPlugin[] => [
  new AccountTokenSecret({
    accounts: () => core('serviceaccounts'),
    tokens: () => access().serviceAccountTokens,
    rootCertificate: () => access().rootCertificate,
  }),
  new CertificateChecks(() => access().authorizer),
  new RoleEscalation(() => access().rbac),
]
