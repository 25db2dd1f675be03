// The property that every controller keeps: from any state, with caches that lag, requests that fail and crashes between any two actions,
// the declared state is reached, and then nothing more is done.
import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Controller } from '../controller.ts'
import { sabotaged, watched, type Sabotage } from './sabotage.ts'
import { randomOf, SimulatedCluster, type PodEnd } from './simulated-cluster.ts'

export interface Scenario {
  /** Those that are judged. */
  readonly controllers: readonly Controller[]
  /** Those that they cannot do without. */
  readonly helpers?: readonly Controller[]
  /** The first objects. */
  readonly setup: (cluster: SimulatedCluster) => void
  /** What users do meanwhile: one of these, chosen by the random source, which also gives it a number. */
  readonly deeds: readonly ((cluster: SimulatedCluster, choice: number) => void)[]
  /** Holds after every step. */
  readonly always?: (cluster: SimulatedCluster) => void
  /** Before the end: what must be so for the goal to be reachable. */
  readonly calm?: (cluster: SimulatedCluster) => void
  /** Holds when all is quiet. */
  readonly goal: (cluster: SimulatedCluster) => void
  readonly podEnd?: PodEnd
  readonly runs?: number
  readonly seed?: number
  /** Kinds that controllers make and nobody owns. */
  readonly ownerless?: readonly string[]
  /** Mistakes that do no harm here, as `CONTROLLER MISTAKE`. */
  readonly unnoticed?: readonly string[]
}

/** Rejects what does not keep it, and a scenario that would not notice a controller with one of the common mistakes. */
export function checkControllers(scenario: Scenario): void {
  const { seed = 20_260_101, runs = 100, controllers, unnoticed = [] } = scenario
  const spoilable = new Map(controllers.map((each) => [each, new Set<Sabotage>()]))
  const observed = controllers.map((each) => watched(each, (one) => spoilable.get(each)?.add(one)))
  fc.assert(propertyOf({ ...scenario, controllers: observed }), { seed, numRuns: runs })
  const missed: string[] = []
  for (const [target, found] of spoilable)
    for (const sabotage of found) {
      const others = controllers.map((each) => (each === target ? sabotaged(each, sabotage) : each))
      const property = propertyOf({ ...scenario, controllers: others })
      const { failed } = fc.check(property, { seed, numRuns: runs, endOnFailure: true })
      if (!failed) missed.push(`${target.name} ${sabotage.name}`)
    }
  expect(missed, 'mistakes that this scenario must notice').toEqual(unnoticed)
}

/** No duplicate and no orphan, whatever the scenario is about. */
const checkWrites = ({ api, created }: SimulatedCluster, { ownerless = [] }: Scenario): void => {
  if (api.invariants.broken.length > 0) throw new Error(api.invariants.broken.join('\n'))
  for (const { kind, metadata } of created.splice(0))
    if ((metadata.ownerReferences ?? []).length === 0 && !ownerless.includes(kind))
      throw new Error(`a ${kind} was made without an owner`)
}

const propertyOf = (scenario: Scenario): fc.IProperty<unknown[]> => {
  const { helpers = [], podEnd } = scenario
  const controllers = [...scenario.controllers, ...helpers]
  const always = (cluster: SimulatedCluster): void => {
    checkWrites(cluster, scenario)
    scenario.always?.(cluster)
  }
  const property = fc.property(
    fc.array(step, { maxLength: stepsMax }),
    fc.nat(),
    (steps, worldSeed) => {
      const random = randomOf(worldSeed)
      const options = podEnd === undefined ? {} : { podEnd }
      const cluster = new SimulatedCluster({ controllers, random, ...options })
      scenario.setup(cluster)
      for (const { type, budget } of steps) {
        if (type === 'reconcile') cluster.reconcileSome(budget === 8 ? Infinity : budget, false)
        else if (type === 'crash') cluster.reconcileSome(budget, true)
        else if (type === 'deliver') cluster.deliverSome()
        else if (type === 'turn') cluster.turn(true)
        else if (type === 'wait') cluster.api.nowMs += budget * 1000
        else {
          const deed = scenario.deeds[budget % scenario.deeds.length]
          deed?.(cluster, Math.floor(budget / scenario.deeds.length))
        }
        always(cluster)
      }
      scenario.calm?.(cluster)
      cluster.settle(() => always(cluster))
      scenario.goal(cluster)
      expect(cluster.leftovers()).toEqual([])
      // Nor later: no condition is written again because time has passed.
      cluster.api.nowMs += laterMs
      expect(cluster.leftovers()).toEqual([])
    },
  )
  return property as unknown as fc.IProperty<unknown[]>
}

const stepsMax = 100
const laterMs = 90_000
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('reconcile'), budget: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('crash'), budget: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('deliver'), budget: fc.constant(0) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('turn'), budget: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait'), budget: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('deed'), budget: fc.nat(1000) }) },
)
