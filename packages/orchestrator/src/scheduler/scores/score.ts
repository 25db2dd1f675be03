// What every score gives: 0 to 100 for each node, in their order.
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'

export const scoreMax = 100

/** Undefined: the score makes no difference between the nodes. */
export type Score = (
  facts: PodFacts,
  states: readonly NodeState[],
  view: ClusterView,
) => readonly number[] | undefined

/** The largest becomes 100. */
export const normalized = (values: readonly number[]): number[] => {
  let max = 0
  for (const value of values) if (value > max) max = value
  return values.map((value) => (max === 0 ? 0 : (value / max) * scoreMax))
}
