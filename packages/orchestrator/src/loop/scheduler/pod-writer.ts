// What the scheduler writes to pods: bindings, the condition PodScheduled, nominations and evictions, and the events that go with them.
import type { ApiClient } from '../../client/api-client.ts'
import { ApiEventRecorder, referenceTo } from '../../client/event-recorder.ts'
import { isApiError } from '../../client/is-api-error.ts'
import type { Condition, Json, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'

export class PodWriter {
  readonly #client: ApiClient
  readonly #onError: (error: unknown) => void
  readonly #now: () => number
  readonly #recorders = new Map<string, ApiEventRecorder>()

  constructor(client: ApiClient, now: () => number, onError: (error: unknown) => void) {
    this.#client = client
    this.#now = now
    this.#onError = onError
  }

  /** Resolves when all events are written or given up. */
  async close(): Promise<void> {
    await Promise.all([...this.#recorders.values()].map((recorder) => recorder.close()))
  }

  /** Rejects with the apiserver's ApiError. */
  async bind(pod: Stored<Pod>, nodeName: string): Promise<void> {
    const { namespace = '', name } = pod.metadata
    await this.#client.bind(namespace, name, nodeName)
    this.#record(
      pod,
      'Normal',
      'Scheduled',
      `Successfully assigned ${namespace}/${name} to ${nodeName}`,
    )
  }

  /** Event and condition; the condition only when it says something new. */
  async tellUnschedulable(pod: Stored<Pod>, message: string, nominated?: string): Promise<void> {
    this.#record(pod, 'Warning', 'FailedScheduling', message)
    const before = pod.status.conditions?.find(({ type }) => type === 'PodScheduled')
    const isTold = before?.status === 'False' && before.message === message
    const isNominated = nominated === undefined || pod.status.nominatedNodeName === nominated
    if (isTold && isNominated) return
    const condition: Condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime:
        before?.status === 'False' && before.lastTransitionTime !== undefined
          ? before.lastTransitionTime
          : timestamp(this.#now()),
    }
    await this.#patchStatus(pod, {
      conditions: [{ ...condition }],
      ...(nominated === undefined ? {} : { nominatedNodeName: nominated }),
    })
  }

  async clearNomination(pod: Stored<Pod>): Promise<void> {
    if ((pod.status.nominatedNodeName ?? '') !== '')
      await this.#patchStatus(pod, { nominatedNodeName: null })
  }

  /** Lets `victim` end gracefully, to make room for `pod`. */
  async evict(victim: Stored<Pod>, pod: Stored<Pod>, nodeName: string): Promise<void> {
    if (victim.metadata.deletionTimestamp !== undefined) return
    const { namespace, name, uid } = victim.metadata
    const schedulerName = schedulerOf(pod)
    await this.#patchStatus(victim, {
      conditions: [
        {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'PreemptionByScheduler',
          message: `${schedulerName}: preempting to accommodate a higher priority pod`,
          lastProbeTime: null,
          lastTransitionTime: timestamp(this.#now()),
        },
      ],
    })
    try {
      await this.#client.delete(podType, namespace, name, { uid })
    } catch (reason) {
      if (!isApiError(reason, 404, 409)) throw reason
      return
    }
    const message = `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`
    this.#recorder(schedulerName).record({
      regarding: referenceTo(victim),
      type: 'Normal',
      reason: 'Preempted',
      message,
    })
  }

  async #patchStatus(pod: Stored<Pod>, status: { readonly [key: string]: Json }): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    const patch = { metadata: { uid }, status }
    try {
      await this.#client.patch<Pod>(podType, namespace, name, 'strategic', patch, 'status')
    } catch (reason) {
      // The pod is gone, or another one of its name is there.
      if (!isApiError(reason, 404, 409, 422)) throw reason
    }
  }

  #record(pod: Stored<Pod>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const regarding = referenceTo(pod)
    this.#recorder(schedulerOf(pod)).record({ regarding, type, reason, message })
  }

  #recorder(component: string): ApiEventRecorder {
    const known = this.#recorders.get(component)
    if (known !== undefined) return known
    const made = new ApiEventRecorder(this.#client, { component }, this.#onError)
    this.#recorders.set(component, made)
    return made
  }
}

const schedulerOf = ({ spec }: Pod): string => spec.schedulerName ?? 'default-scheduler'
