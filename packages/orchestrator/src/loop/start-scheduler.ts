// The scheduler's shell: feeds the cluster view and the queue from informers, decides pod by pod, binds side by side. A decision counts at
// once (assumed), so the next one does not wait for the apiserver.
import type { ApiClient } from '../client/api-client.ts'
import { ApiEventRecorder, referenceTo } from '../client/event-recorder.ts'
import { Informer } from '../client/informer.ts'
import { isApiError } from '../client/is-api-error.ts'
import { nodeType, type Node } from '../resources/node.ts'
import type { Condition, Stored } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { timestamp } from '../resources/timestamp.ts'
import { ClusterView } from '../scheduler/cluster-view.ts'
import { schedule } from '../scheduler/schedule.ts'
import { SchedulingQueue } from '../scheduler/scheduling-queue.ts'

export interface SchedulerOptions {
  readonly client: ApiClient
  readonly onError?: (error: unknown) => void
}

const schedulerName = 'default-scheduler'
/** Bindings on their way; the loop waits when there are so many. */
const bindingsMax = 128
/** Decisions in one turn, before others get theirs. */
const turnDecisionsMax = 64

/** Resolves when the caches are filled and pods are being scheduled. */
export async function startScheduler(
  options: SchedulerOptions,
): Promise<{ close(): Promise<void> }> {
  const scheduler = new Scheduler(options.client, options.onError ?? (() => undefined))
  await scheduler.start()
  return scheduler
}

class Scheduler {
  readonly #client: ApiClient
  readonly #onError: (error: unknown) => void
  readonly #view = new ClusterView()
  readonly #queue = new SchedulingQueue()
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #events: ApiEventRecorder
  readonly #bindings = new Set<Promise<void>>()
  #start = 0
  #turn: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #isRunning = false

  constructor(client: ApiClient, onError: (error: unknown) => void) {
    this.#client = client
    this.#onError = onError
    this.#events = new ApiEventRecorder(client, { component: schedulerName }, onError)
    this.#pods = new Informer<Pod>({ client, ref: podType, onError })
    this.#nodes = new Informer<Node>({ client, ref: nodeType, onError })
  }

  async start(): Promise<void> {
    this.#nodes.onChange((key, node) => {
      if (node === undefined) this.#view.removeNode(key)
      else this.#view.setNode(node)
      this.#queue.clusterChanged()
      this.#wake()
    })
    this.#pods.onChange((_key, pod, previous) => this.#podChanged(pod, previous))
    this.#nodes.start()
    this.#pods.start()
    await Promise.all([this.#nodes.synced(), this.#pods.synced()])
    this.#isRunning = true
    this.#wake()
  }

  async close(): Promise<void> {
    this.#isRunning = false
    this.#pods.close()
    this.#nodes.close()
    clearImmediate(this.#turn)
    clearTimeout(this.#timer)
    await Promise.all(this.#bindings)
    await this.#events.close()
  }

  #podChanged(pod: Stored<Pod> | undefined, previous: Stored<Pod> | undefined): void {
    if (previous !== undefined && previous.metadata.uid !== pod?.metadata.uid) {
      const { uid } = previous.metadata
      this.#queue.remove(uid)
      this.#freed(() => this.#view.removePod(uid), uid)
    }
    if (pod === undefined) return
    const { uid } = pod.metadata
    if (isOver(pod)) this.#freed(() => this.#view.setPod(pod), uid)
    else this.#view.setPod(pod)
    if (isOurs(pod) && !this.#view.isPlaced(uid)) this.#queue.put(pod)
    else this.#queue.remove(uid)
    this.#wake()
  }

  /** A node has room again, if the pod was on one. */
  #freed(change: () => void, uid: string): void {
    const wasPlaced = this.#view.isPlaced(uid)
    change()
    if (wasPlaced) this.#queue.clusterChanged()
    this.#wake()
  }

  #wake(): void {
    if (!this.#isRunning) return
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#decide()
    })
  }

  #decide(): void {
    clearTimeout(this.#timer)
    for (let decisions = 0; decisions < turnDecisionsMax; decisions++) {
      if (this.#bindings.size >= bindingsMax) return
      const pod = this.#queue.take(Date.now())
      if (pod === undefined) {
        const nextMs = this.#queue.nextMs(Date.now())
        if (nextMs !== undefined) this.#timer = setTimeout(() => this.#wake(), nextMs + 1)
        return
      }
      this.#decideFor(pod)
    }
    this.#wake()
  }

  #decideFor(pod: Stored<Pod>): void {
    const decision = schedule(pod, this.#view.nodes(), this.#start)
    if (decision.type === 'unschedulable') {
      this.#queue.failed(pod, Date.now(), 'unschedulable')
      this.#track(this.#tellUnschedulable(pod, decision.message))
      return
    }
    this.#start = decision.nextStart
    this.#view.assume(pod, decision.nodeName)
    this.#track(this.#bind(pod, decision.nodeName))
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((reason: unknown) => this.#onError(reason))
      .finally(() => {
        this.#bindings.delete(tracked)
        this.#wake()
      })
    this.#bindings.add(tracked)
  }

  async #bind(pod: Stored<Pod>, nodeName: string): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata
    try {
      await this.#client.bind(namespace, name, nodeName)
    } catch (reason) {
      this.#view.forget(uid)
      const current = this.#pods.get(`${namespace}/${name}`)
      if (current?.metadata.uid === uid && isOurs(current))
        this.#queue.failed(current, Date.now(), 'error')
      else this.#queue.done(uid)
      // Gone, or bound by somebody else: the informer tells.
      if (!isApiError(reason, 404, 409)) throw reason
      return
    }
    this.#queue.done(uid)
    this.#events.record({
      regarding: referenceTo(pod),
      type: 'Normal',
      reason: 'Scheduled',
      message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
    })
  }

  async #tellUnschedulable(pod: Stored<Pod>, message: string): Promise<void> {
    const before = pod.status.conditions?.find(({ type }) => type === 'PodScheduled')
    this.#events.record({
      regarding: referenceTo(pod),
      type: 'Warning',
      reason: 'FailedScheduling',
      message,
    })
    if (before?.status === 'False' && before.message === message) return
    const condition: Condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime:
        before?.status === 'False' && before.lastTransitionTime !== undefined
          ? before.lastTransitionTime
          : timestamp(Date.now()),
    }
    const others = (pod.status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
    const status = { ...pod.status, conditions: [...others, condition] }
    try {
      await this.#client.update<Pod>(podType, { ...pod, status }, 'status')
    } catch (reason) {
      // The pod changed or is gone; the next try tells again.
      if (!isApiError(reason, 404, 409)) throw reason
    }
  }
}

const isOver = ({ status }: Pod): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed'

const isOurs = (pod: Stored<Pod>): boolean =>
  (pod.spec.nodeName ?? '') === '' &&
  (pod.spec.schedulerName ?? schedulerName) === schedulerName &&
  pod.metadata.deletionTimestamp === undefined &&
  (pod.spec.schedulingGates ?? []).length === 0 &&
  !isOver(pod)
