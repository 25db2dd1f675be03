// Controllers in a world that a seeded random source drives: their caches lag, they crash between any two actions, requests fail, pods come
// alive, end and are deleted by others. The descriptors that the real loop runs are run here, one step at a time.
import { builtInKinds } from '../start-controllers.ts'
import type { Action } from '../../controllers/action.ts'
import { startMs } from '../../controllers/testing/objects.ts'
import { FakeApiClient } from '../../client/testing/fake-api-client.ts'
import { objectKey } from '../../client/object-cache.ts'
import { nodeOfDaemon } from '../../controllers/daemon-set/daemon-nodes.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import { podType, type Pod, type PodStatus } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'
import type { Controller, ControllerParts } from '../controller.ts'
import { Expectations } from '../expectations.ts'
import { Refusal, SimulatedApi } from './simulated-api.ts'
import { SimulatedCaches } from './simulated-caches.ts'

/** Numbers in [0, 1) that follow from the seed. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed | 1
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39)
    state ^= state >>> 15
    return (state >>> 0) / 2 ** 32
  }
}

interface RunningController {
  readonly name: string
  readonly parts: ControllerParts
  readonly queue: Set<string>
  /** By key: when it asked to come again. */
  readonly timers: Map<string, number>
  readonly expectations: Expectations
}

/** What becomes of a pod that runs, at its turn; undefined: it runs on. */
export type PodEnd = (pod: Stored<Pod>, random: () => number) => PodStatus | undefined

const roundsMax = 3000

export class SimulatedCluster {
  readonly api = new SimulatedApi(startMs)
  readonly random: () => number
  /** What controllers made, or tried to, so far. */
  readonly created: KubeObject[] = []
  readonly #controllers: readonly Controller[]
  readonly #podEnd: PodEnd | undefined
  #caches: SimulatedCaches
  #addresses = 0
  #running: RunningController[] = []

  constructor(options: {
    readonly controllers: readonly Controller[]
    readonly random: () => number
    readonly podEnd?: PodEnd
  }) {
    this.random = options.random
    this.#controllers = options.controllers
    this.#podEnd = options.podEnd
    this.#caches = new SimulatedCaches(this.api)
    this.api.hasCollector = options.controllers.some(({ name }) => name === collectorName)
    this.crash()
  }

  /** What the controllers knew and planned is lost; they begin with fresh caches. */
  crash(): void {
    const caches = new SimulatedCaches(this.api)
    this.#caches = caches
    const context = {
      kinds: builtInKinds,
      informers: caches,
      client: new FakeApiClient(),
      now: () => this.api.nowMs,
      rootCertificate: 'PEM',
    }
    this.#running = this.#controllers.map(({ name, connect }) => {
      const parts = connect(context)
      const queue = new Set<string>()
      for (const watch of parts.watches) {
        watch.subscribe((keys) => {
          for (const key of keys) queue.add(key)
        })
      }
      const expectations = new Expectations(caches.views)
      return { name, parts, queue, timers: new Map<string, number>(), expectations }
    })
  }

  /** Some changes reach some cache. */
  deliverSome(): void {
    const lagging = this.#caches.kinds.filter(({ lag }) => lag > 0)
    const cache = lagging[Math.floor(this.random() * lagging.length)]
    cache?.deliver(1 + Math.floor(this.random() * 4))
  }
  deliverAll(): void {
    for (const cache of this.#caches.kinds) cache.deliver(Number.POSITIVE_INFINITY)
  }

  /** One key that is due, if any. `budget`: how many actions are done before the process crashes or a request fails. */
  reconcileSome(budget: number, isCrash: boolean): boolean {
    this.#fireTimers()
    const ready = this.#running.flatMap((controller) =>
      [...controller.queue].map((key) => ({ controller, key })),
    )
    const chosen = ready[Math.floor(this.random() * ready.length)]
    if (chosen === undefined) return false
    const { controller, key } = chosen
    if (!controller.expectations.isSatisfied(key, this.api.nowMs)) return true
    controller.queue.delete(key)
    this.#reconcile(controller, key, budget, isCrash)
    return true
  }

  #reconcile(controller: RunningController, key: string, budget: number, isCrash: boolean): void {
    const reconciliation = controller.parts.reconcile(key, this.api.nowMs, undefined)
    if (reconciliation instanceof Promise) throw new Error('reconciles are synchronous here')
    const { actions, requeueAfterMs } = reconciliation
    try {
      const left = this.#apply(controller, key, actions, budget)
      if (left <= 0 && isCrash) this.crash()
      else if (requeueAfterMs !== undefined)
        controller.timers.set(key, this.api.nowMs + requeueAfterMs)
    } catch (reason) {
      if (!(reason instanceof Refusal) || reason.reason === 'Invalid') throw reason
      controller.timers.set(key, this.api.nowMs + 1000)
    }
  }

  #apply(
    controller: RunningController,
    key: string,
    actions: readonly Action[],
    budget: number,
  ): number {
    let left = budget
    for (const action of actions) {
      if (left <= 0) {
        if (budget < Number.POSITIVE_INFINITY) controller.timers.set(key, this.api.nowMs + 1000)
        return 0
      }
      if (action.type === 'slowStart') left = this.#apply(controller, key, action.actions, left)
      else {
        left--
        if (action.type === 'create') this.created.push(action.object)
        const written = this.api.perform(action)
        const { nowMs } = this.api
        if (action.type === 'delete') controller.expectations.deleted(key, action, nowMs)
        else if (written !== undefined && 'ref' in action)
          controller.expectations.wrote(key, action.ref, written.metadata.resourceVersion, nowMs)
        if ('done' in action && action.done !== undefined) this.api.events.push(action.done)
      }
    }
    return left
  }

  #fireTimers(): void {
    for (const { queue, timers } of this.#running)
      for (const [key, dueMs] of timers)
        if (dueMs <= this.api.nowMs) {
          timers.delete(key)
          queue.add(key)
        }
  }

  /** One pod gets on; with `isHostile` it may fail or be deleted by others. Objects without any owner left are collected. */
  turn(isHostile: boolean): void {
    this.api.nowMs += 100
    this.#collectGarbage()
    const pods = this.api.all<Pod>(podType)
    const pod = pods[Math.floor(this.random() * pods.length)]
    if (pod === undefined) return
    const mishap = isHostile ? this.random() : 1
    if (pod.metadata.deletionTimestamp !== undefined) this.#end(pod)
    else if (mishap < 0.08) this.api.delete(podType, objectKey(pod), pod.metadata.uid)
    else if (mishap < 0.16) this.#setStatus(pod, { phase: 'Failed' })
    else this.#live(pod)
  }

  #end(pod: Stored<Pod>): void {
    if (pod.status.phase === 'Running')
      this.#setStatus(pod, { ...pod.status, phase: 'Failed', conditions: [] })
    this.api.end(podType, this.api.get<Pod>(podType, objectKey(pod)) ?? pod)
  }

  #live(pod: Stored<Pod>): void {
    if (pod.status.phase === 'Pending' && (pod.spec.nodeName ?? '') === '') this.#bind(pod)
    else if (pod.status.phase === 'Pending') this.#setStatus(pod, this.readyStatus())
    else if (pod.status.phase === 'Running') {
      const end = this.#podEnd?.(pod, this.random)
      if (end !== undefined) this.#setStatus(pod, end)
    }
  }

  #bind(pod: Stored<Pod>): void {
    const nodes = this.api.all<Node>(nodeType).map(({ metadata }) => metadata.name)
    const target = nodeOfDaemon(pod) ?? nodes[Math.floor(this.random() * nodes.length)] ?? 'n1'
    if (nodes.length > 0 && !nodes.includes(target)) return
    this.api.bind(pod, target)
  }

  #setStatus(pod: Stored<Pod>, status: PodStatus): void {
    this.api.update(podType, { ...pod, status } as Pod, 'status')
  }

  readyStatus(): PodStatus {
    const lastTransitionTime = timestamp(this.api.nowMs)
    this.#addresses++
    return {
      phase: 'Running',
      podIP: `10.0.${this.#addresses >> 8}.${this.#addresses & 255}`,
      startTime: lastTransitionTime,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }],
    }
  }

  #collectGarbage(): void {
    if (this.api.hasCollector) return
    const everything = this.api.everything()
    const uids = new Set(everything.map(({ object }) => object.metadata.uid))
    for (const { ref, object } of everything) {
      const owners = object.metadata.ownerReferences ?? []
      if (owners.length > 0 && owners.every(({ uid }) => !uids.has(uid)))
        this.api.delete(ref, objectKey(object), object.metadata.uid)
    }
  }

  /** Lets everything happen without further mishaps until nothing is left to do. Throws when that takes too long. */
  settle(each: () => void = () => undefined): void {
    for (let round = 0; round < roundsMax; round++) {
      const before = this.api.revision
      this.deliverAll()
      while (this.reconcileSome(Number.POSITIVE_INFINITY, false)) {
        this.deliverAll()
        each()
      }
      this.turn(false)
      each()
      if (this.api.revision === before && this.#isWorldQuiet()) {
        if (!this.#skipToTimer()) return
      }
    }
    throw new Error('the cluster does not come to rest')
  }

  #isWorldQuiet(): boolean {
    return this.api.all<Pod>(podType).every((pod) => {
      if (pod.metadata.deletionTimestamp !== undefined) return false
      const { phase } = pod.status
      if (phase === 'Pending') return this.#isUnplaceable(pod)
      return phase !== 'Running' || this.#podEnd === undefined
    })
  }
  #isUnplaceable(pod: Stored<Pod>): boolean {
    const target = nodeOfDaemon(pod)
    const isBound = (pod.spec.nodeName ?? '') !== ''
    return !isBound && target !== undefined && this.api.get(nodeType, target) === undefined
  }

  /** Goes on to the next thing that somebody waits for; within an hour, beyond that nobody does. */
  #skipToTimer(): boolean {
    const due = this.#running.flatMap(({ timers }) => [...timers.values()])
    const next = Math.min(...due.filter((ms) => ms < startMs + horizonMs))
    if (!Number.isFinite(next)) return false
    this.api.nowMs = Math.max(this.api.nowMs, next)
    return true
  }

  /** All actions that controllers would do now, were they asked again about everything: none, when all is done. */
  leftovers(): Action[] {
    this.deliverAll()
    return this.#running.flatMap(({ parts }) => {
      const keys = new Set(parts.watches.flatMap((watch) => watch.keys()))
      return [...keys].flatMap((key) => {
        const reconciliation = parts.reconcile(key, this.api.nowMs, undefined)
        return reconciliation instanceof Promise ? [] : reconciliation.actions
      })
    })
  }

  put<T extends KubeObject>(ref: Parameters<SimulatedApi['create']>[0], object: T): Stored<T> {
    return this.api.create(ref, object)
  }
}

const collectorName = 'generic-garbage-collector'
const horizonMs = 24 * 3600 * 1000
