// Pods stay on a node that is not ready or cannot be reached for five minutes, unless they say otherwise.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { Toleration } from '../../resources/pod-spec/pod-spec.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { type AdmittedPod, isPodCreate, withSpec } from './pod-requests.ts'

const tolerationSeconds = 300
const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

export class DefaultTolerations implements AdmissionPlugin {
  readonly name = 'DefaultTolerationSeconds'

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    return isPodCreate(operation, type, subresource)
  }

  mutate({ object }: AdmissionRequest): KubeObject {
    const pod = object as AdmittedPod
    const present = pod.spec.tolerations ?? []
    const missing = keys.filter((key) => !present.some((one) => isAbout(one, key)))
    if (missing.length === 0) return pod
    return withSpec(pod, {
      tolerations: [
        ...present,
        ...missing.map((key) => ({
          key,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds,
        })),
      ],
    })
  }
}

const isAbout = (toleration: Toleration, key: string): boolean =>
  ((toleration.key ?? '') === '' || toleration.key === key) &&
  ((toleration.effect ?? '') === '' || toleration.effect === 'NoExecute')
