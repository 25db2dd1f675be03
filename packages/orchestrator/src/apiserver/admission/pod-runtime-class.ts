// Pods of a runtime class carry what it costs, and go where it is.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { RuntimeClass } from '../../resources/scheduling/runtime-class.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { type AdmittedPod, isPodCreate, withSpec } from './pod-requests.ts'

export class PodRuntimeClass implements AdmissionPlugin {
  readonly name = 'RuntimeClass'
  readonly #classes: () => Registry | undefined

  constructor(classes: () => Registry | undefined) {
    this.#classes = classes
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    return isPodCreate(operation, type, subresource)
  }

  mutate(request: AdmissionRequest): KubeObject {
    const pod = request.object as AdmittedPod
    const name = pod.spec.runtimeClassName ?? ''
    const refuse = (why: string): Error =>
      forbidden({ group: '', resource: 'pods' }, request.name, why)
    if (name === '') {
      if (Object.keys(pod.spec.overhead ?? {}).length === 0) return pod
      throw refuse(
        'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
      )
    }
    const found = this.#classes()?.cache.get(name)?.object as RuntimeClass | undefined
    if (found === undefined) {
      throw refuse(`pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    }
    const overhead = found.overhead?.podFixed
    const { nodeSelector = {}, tolerations = [] } = found.scheduling ?? {}
    if (pod.spec.overhead !== undefined && !jsonEqual(pod.spec.overhead, overhead)) {
      throw refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    }
    const own = pod.spec.nodeSelector ?? {}
    for (const [key, value] of Object.entries(nodeSelector)) {
      if (Object.hasOwn(own, key) && own[key] !== value) {
        throw refuse(
          `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key] ?? ''}`,
        )
      }
    }
    const ownTolerations = pod.spec.tolerations ?? []
    const added = tolerations.filter((one) => !ownTolerations.some((two) => jsonEqual(one, two)))
    return withSpec(pod, {
      ...(overhead === undefined ? {} : { overhead }),
      ...(Object.keys(nodeSelector).length === 0
        ? {}
        : { nodeSelector: { ...own, ...nodeSelector } }),
      ...(added.length === 0 ? {} : { tolerations: [...ownTolerations, ...added] }),
    })
  }
}
