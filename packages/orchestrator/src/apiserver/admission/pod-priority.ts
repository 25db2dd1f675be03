// A pod's priority is that of its class, or of the class that is the default.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { PriorityClass } from '../../resources/scheduling/priority-class.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { type AdmittedPod, isPodCreate, withSpec } from './pod-requests.ts'

const preemptingPolicy = 'PreemptLowerPriority'

export class PodPriority implements AdmissionPlugin {
  readonly name = 'Priority'
  /** undefined: the kind is not served. */
  readonly #classes: () => Registry | undefined

  constructor(classes: () => Registry | undefined) {
    this.#classes = classes
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    return isPodCreate(operation, type, subresource)
  }

  mutate(request: AdmissionRequest): KubeObject {
    const pod = request.object as AdmittedPod
    const { priorityClassName = '', priority = 0, preemptionPolicy = preemptingPolicy } = pod.spec
    const refuse = (why: string): Error => forbidden(podResource, request.name, why)
    const found =
      priorityClassName === '' ? this.#defaultClass() : this.#classNamed(priorityClassName)
    if (found === undefined && priorityClassName !== '') {
      throw refuse(`no PriorityClass with name ${priorityClassName} was found`)
    }
    const value = found?.value ?? 0
    // 0 is what defaults fill in.
    if (priority !== 0 && priority !== value) {
      throw refuse(
        `the integer value of priority (${priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    }
    const policy = found?.preemptionPolicy ?? preemptingPolicy
    if (preemptionPolicy !== preemptingPolicy && preemptionPolicy !== policy) {
      throw refuse(
        `the string value of PreemptionPolicy (${preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      )
    }
    const name = found?.metadata.name ?? ''
    if (name === priorityClassName && value === priority && policy === preemptionPolicy) return pod
    return withSpec(pod, {
      ...(name === '' ? {} : { priorityClassName: name }),
      priority: value,
      preemptionPolicy: policy,
    })
  }

  #classNamed(name: string): PriorityClass | undefined {
    return this.#classes()?.cache.get(name)?.object as PriorityClass | undefined
  }

  /** Should several be the default, the lowest counts. */
  #defaultClass(): PriorityClass | undefined {
    let lowest: PriorityClass | undefined
    for (const { object } of this.#classes()?.cache.list('') ?? []) {
      const one = object as KubeObject as PriorityClass
      if (one.globalDefault !== true) continue
      if (lowest === undefined || one.value < lowest.value) lowest = one
    }
    return lowest
  }
}

const podResource = { group: '', resource: 'pods' }
