// What holds whatever comes and goes: the kept snapshot is the one that would be built anew, no node gets more than it has, a pod that fits
// somewhere gets a node, and nobody is pushed out for a pod that is not more important.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeOf } from '../controllers/testing/objects.ts'
import type { Node } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import type { PodSpec } from '../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../resources/pod.ts'
import { planFilters } from './filters/plan-filters.ts'
import { preempt } from './preemption/preempt.ts'
import { schedule } from './schedule.ts'
import { ClusterView } from './snapshot/cluster-view.ts'
import { spreadMatcher } from './snapshot/spread-matcher.ts'
import { containerOf, pendingPod } from './testing/pods.ts'

const zone = 'topology.kubernetes.io/zone'
const nodeNames = ['n0', 'n1', 'n2', 'n3']
const apps = ['a', 'b', 'c']

const term = (app: string, topologyKey: string): object => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
})
const specs: fc.Arbitrary<Partial<PodSpec>> = fc
  .record({
    cpu: fc.constantFrom('100m', '700m', '1500m'),
    priority: fc.constantFrom(0, 0, 5, 10),
    hostPort: fc.constantFrom(0, 0, 0, 80),
    other: fc.constantFrom(...apps),
    shape: fc.constantFrom('plain', 'plain', 'near', 'apart', 'spread', 'prefer'),
    topologyKey: fc.constantFrom(zone, 'kubernetes.io/hostname'),
  })
  .map(({ cpu, priority, hostPort, other, shape, topologyKey }) => ({
    priority,
    containers: [
      {
        ...containerOf({ cpu }),
        ...(hostPort === 0 ? {} : { ports: [{ containerPort: 1, hostPort }] }),
      },
    ],
    ...shapeOf(shape, other, topologyKey),
  }))
const shapeOf = (shape: string, app: string, topologyKey: string): Partial<PodSpec> => {
  const required = { requiredDuringSchedulingIgnoredDuringExecution: [term(app, topologyKey)] }
  const preferred = {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 7, podAffinityTerm: term(app, topologyKey) },
    ],
  }
  switch (shape) {
    case 'near':
      return { affinity: { podAffinity: required } } as Partial<PodSpec>
    case 'apart':
      return { affinity: { podAntiAffinity: required } } as Partial<PodSpec>
    case 'prefer':
      return { affinity: { podAffinity: preferred } } as Partial<PodSpec>
    case 'spread':
      return {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey,
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app } },
          },
        ],
      }
    default:
      return {}
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('schedule' as const),
      spec: specs,
      app: fc.constantFrom(...apps),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('confirm' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('end' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('terminate' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('relabel' as const),
      pick: fc.nat(),
      app: fc.constantFrom(...apps),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('node' as const),
      name: fc.constantFrom(...nodeNames),
      zone: fc.constantFrom('x', 'y', undefined),
      cpu: fc.constantFrom('1', '2', '4'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('removeNode' as const),
      name: fc.constantFrom(...nodeNames),
    }),
  },
)

/** A view driven by random steps, and what a view built anew would be made of. */
class World {
  readonly view = new ClusterView()
  readonly nodes = new Map<string, Stored<Node>>()
  readonly pods = new Map<string, Stored<Pod>>()
  #count = 0

  run(each: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    if (each.type === 'schedule')
      this.#schedule(pendingPod(`p${this.#count++}`, each.spec, { labels: { app: each.app } }))
    else if (each.type === 'node') this.#setNode(each.name, each.zone, each.cpu)
    else if (each.type === 'removeNode') {
      this.nodes.delete(each.name)
      this.view.removeNode(each.name)
    } else {
      const pod = [...this.pods.values()][each.pick % Math.max(1, this.pods.size)]
      if (pod === undefined) return
      if (each.type === 'end') {
        this.pods.delete(pod.metadata.uid)
        this.view.removePod(pod.metadata.uid)
      } else if (each.type === 'confirm') this.#set(pod, pod.metadata)
      else if (each.type === 'relabel')
        this.#set(pod, { ...pod.metadata, labels: { app: each.app } })
      else this.#set(pod, { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' })
    }
  }

  scratch(): ClusterView {
    const made = new ClusterView()
    for (const node of this.nodes.values()) made.setNode(node)
    for (const pod of this.pods.values()) made.setPod(pod)
    return made
  }

  #set(pod: Stored<Pod>, metadata: Stored<Pod>['metadata']): void {
    const next = { ...pod, metadata }
    this.pods.set(metadata.uid, next)
    this.view.setPod(next)
  }

  #setNode(name: string, zoneName: string | undefined, cpu: string): void {
    const labels = zoneName === undefined ? {} : { [zone]: zoneName }
    const node = nodeOf(name, { labels, allocatable: { cpu } })
    this.nodes.set(name, node)
    this.view.setNode(node)
  }

  #schedule(pod: Stored<Pod>): void {
    const facts = this.view.factsOf(pod)
    const plan = planFilters(facts, this.view)
    if (typeof plan === 'string') throw new Error(plan)
    const fitting = this.view.nodes().filter((state) => plan.refusalOf(state) === undefined)
    const decision = schedule(facts, this.view)
    expect(decision.type === 'node').toBe(fitting.length > 0)
    if (decision.type === 'node') {
      expect(fitting.map(({ name }) => name)).toContain(decision.nodeName)
      this.view.assume(facts, decision.nodeName)
      this.pods.set(facts.uid, { ...pod, spec: { ...pod.spec, nodeName: decision.nodeName } })
      const state = this.view.node(decision.nodeName)
      for (const [resource, amount] of state?.requested ?? [])
        expect(amount).toBeLessThanOrEqual(state?.allocatable.get(resource) ?? 0)
      for (const users of state?.hostPorts.values() ?? []) expect(users).toBe(1)
      return
    }
    const before = picture(this.view)
    const result = preempt(facts, decision, this.view)
    expect(picture(this.view)).toEqual(before)
    if (result.type === 'none') return
    expect(result.victims.length).toBeGreaterThan(0)
    for (const victim of result.victims)
      expect(victim.spec.priority ?? 0).toBeLessThan(facts.priority)
    this.#evict(facts.pod, result.victims, result.nodeName)
  }

  /** With the victims gone the pod fits. */
  #evict(pod: Stored<Pod>, victims: readonly Stored<Pod>[], nodeName: string): void {
    for (const { metadata } of victims) {
      this.pods.delete(metadata.uid)
      this.view.removePod(metadata.uid)
    }
    const facts = this.view.factsOf(pod)
    this.view.nominate(facts, nodeName)
    expect(schedule(facts, this.view)).toMatchObject({ type: 'node', nodeName })
    this.view.nominate(facts, undefined)
  }
}

/** All that decisions are made of. */
const picture = (view: ClusterView): unknown => {
  const counts = ['a', 'b', 'c'].flatMap((app) =>
    [zone, 'kubernetes.io/hostname'].map((topologyKey) => {
      const facts = view.factsOf(pendingPod('q', {}, { labels: { app } }))
      const constraint = {
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app } },
      }
      const spread = view.topology.neighbours(spreadMatcher(constraint, facts), topologyKey)
      const concerned = view.topology
        .concerned(facts.podClass)
        .map((owned) => [
          owned.isAnti,
          owned.weight,
          owned.term.topologyKey,
          owned.counts.total,
          Object.fromEntries(owned.counts.domains),
        ])
      return [
        app,
        topologyKey,
        spread.total,
        Object.fromEntries(spread.domains),
        new Set(concerned.map((one) => JSON.stringify(one))),
      ]
    }),
  )
  const nodes = view.nodes().map((state) => ({
    name: state.name,
    labels: state.labels,
    allocatable: Object.fromEntries(state.allocatable),
    requested: Object.fromEntries(state.requested),
    scored: state.scored,
    hostPorts: Object.fromEntries(state.hostPorts),
    pods: [...state.pods.keys()].toSorted(),
  }))
  return { nodes: nodes.toSorted((left, right) => (left.name < right.name ? -1 : 1)), counts }
}

test('after any changes the kept snapshot equals one built anew, nothing is overcommitted, whatever fits is placed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World()
      for (const each of steps) world.run(each)
      expect(picture(world.view)).toEqual(picture(world.scratch()))
    }),
    { seed: 20_261_121, numRuns: 400 },
  )
})
