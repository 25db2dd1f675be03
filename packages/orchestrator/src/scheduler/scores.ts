// Which of the nodes that can take a pod is best: each score gives 0 to 100, and the weighted sum decides.
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { NodeState } from './cluster-view.ts'
import { preferenceWeight } from './node-affinity.ts'
import type { PodDemand } from './pod-demand.ts'
import { isTolerated } from './taints.ts'

type Score = (
  pod: Stored<Pod>,
  demand: PodDemand,
  states: readonly NodeState[],
) => readonly number[]

const scoreMax = 100

/** The share of cpu and of memory that would be taken. */
const shares = (demand: PodDemand, state: NodeState): { cpu: number; memory: number } => ({
  cpu: share(state.scored.cpu + demand.scored.cpu, state.allocatable.get('cpu')),
  memory: share(state.scored.memory + demand.scored.memory, state.allocatable.get('memory')),
})
const share = (taken: number, all: number | undefined): number =>
  all === undefined || all === 0 ? 1 : Math.min(1, taken / all)

/** The emptier the better. */
const leastAllocated: Score = (_pod, demand, states) =>
  states.map((state) => {
    const { cpu, memory } = shares(demand, state)
    return ((1 - cpu + 1 - memory) / 2) * scoreMax
  })

/** Cpu and memory should run out together. */
const balancedAllocation: Score = (_pod, demand, states) =>
  states.map((state) => {
    const { cpu, memory } = shares(demand, state)
    return (1 - Math.abs(cpu - memory) / 2) * scoreMax
  })

const nodeAffinity: Score = ({ spec }, _demand, states) =>
  normalized(states.map(({ node }) => (node === undefined ? 0 : preferenceWeight(spec, node))))

/** The fewer soft taints that are not tolerated, the better. */
const softTaints: Score = ({ spec }, _demand, states) => {
  const counts = states.map(
    ({ node }) =>
      (node?.spec.taints ?? []).filter(
        (taint) =>
          taint.effect === 'PreferNoSchedule' && !isTolerated(spec.tolerations ?? [], taint),
      ).length,
  )
  return normalized(counts).map((score) => scoreMax - score)
}

const normalized = (values: readonly number[]): number[] => {
  const max = Math.max(0, ...values)
  return values.map((value) => (max === 0 ? 0 : (value / max) * scoreMax))
}

const weighted: readonly { readonly score: Score; readonly weight: number }[] = [
  { score: leastAllocated, weight: 1 },
  { score: balancedAllocation, weight: 1 },
  { score: nodeAffinity, weight: 2 },
  { score: softTaints, weight: 3 },
]

/** In the order of `states`. */
export function scoreNodes(
  pod: Stored<Pod>,
  demand: PodDemand,
  states: readonly NodeState[],
): number[] {
  const sums = states.map(() => 0)
  for (const { score, weight } of weighted) {
    for (const [index, value] of score(pod, demand, states).entries())
      sums[index] = (sums[index] ?? 0) + value * weight
  }
  return sums
}
