// The property that every controller keeps: from any state, with caches that lag, requests that fail and crashes between any two actions,
// the declared state is reached, and then nothing more is done.
import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Controller } from '../controller.ts'
import { randomOf, SimulatedCluster, type PodEnd } from './simulated-cluster.ts'

export interface Scenario {
  readonly controllers: readonly Controller[]
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
}

const stepsMax = 100

export function checkControllers(scenario: Scenario): void {
  const { seed = 20_260_101, runs = 100, always = () => undefined } = scenario
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('reconcile'), budget: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('crash'), budget: fc.nat(5) }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant('deliver'), budget: fc.constant(0) }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant('turn'), budget: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('wait'), budget: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('deed'), budget: fc.nat(1000) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: stepsMax }), fc.nat(), (steps, worldSeed) => {
      const { controllers, podEnd } = scenario
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
    }),
    { seed, numRuns: runs },
  )
}
