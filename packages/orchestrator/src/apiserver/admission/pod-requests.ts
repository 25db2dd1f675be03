// What plugins about pods share: which requests concern them, and changing a pod's spec.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import type { AdmissionOperation } from './admission.ts'

/** A pod as it is sent: what Balsa types of it, and what only admission reads. */
export interface AdmittedPod extends KubeObject {
  readonly spec: PodSpec & {
    readonly automountServiceAccountToken?: boolean
    readonly imagePullSecrets?: readonly { readonly name?: string }[]
    readonly runtimeClassName?: string
  }
}

export const isPods = ({ group, plural }: ResourceType): boolean =>
  group === '' && plural === 'pods'

export const isPodCreate = (
  operation: AdmissionOperation,
  type: ResourceType,
  subresource: string,
): boolean => operation === 'CREATE' && isPods(type) && subresource === ''

export const withSpec = (pod: AdmittedPod, change: Partial<AdmittedPod['spec']>): AdmittedPod => ({
  ...pod,
  spec: { ...pod.spec, ...change },
})

/** Set by kubelets on pods that they run without being asked. */
export const isMirrorPod = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
