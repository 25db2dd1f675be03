// The decision for one pod: the best of the nodes that can take it, or why none can. On large clusters a sample of the nodes is enough; the
// search starts where the last one ended, so that all nodes get their turn.
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { NodeState } from './cluster-view.ts'
import { refusals } from './filters.ts'
import { podDemand } from './pod-demand.ts'
import { scoreNodes } from './scores.ts'

export type Decision =
  | { readonly type: 'node'; readonly nodeName: string; readonly nextStart: number }
  | { readonly type: 'unschedulable'; readonly message: string }

const sampledNodesMin = 100

/** How many nodes that can take the pod are enough to choose from. */
export const feasibleNodesEnough = (nodeCount: number): number => {
  if (nodeCount < sampledNodesMin) return nodeCount
  const percent = Math.max(5, 50 - Math.floor(nodeCount / 125))
  return Math.max(sampledNodesMin, Math.floor((nodeCount * percent) / 100))
}

/** `start`: the index of the node to look at first; give `nextStart` of the last decision. */
export function schedule(pod: Stored<Pod>, states: readonly NodeState[], start: number): Decision {
  if (states.length === 0)
    return { type: 'unschedulable', message: 'no nodes available to schedule pods' }
  const demand = podDemand(pod)
  const enough = feasibleNodesEnough(states.length)
  const feasible: NodeState[] = []
  const counts = new Map<string, number>()
  let looked = 0
  while (looked < states.length && feasible.length < enough) {
    const state = states[(start + looked++) % states.length]
    if (state === undefined) break
    const reasons = refusals(pod, demand, state)
    if (reasons.length === 0) feasible.push(state)
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const best = bestOf(feasible, scoreNodes(pod, demand, feasible))
  if (best === undefined) return { type: 'unschedulable', message: failureText(states, counts) }
  return { type: 'node', nodeName: best.name, nextStart: (start + looked) % states.length }
}

/** The first of the best: since the start moves on, ties are spread. */
function bestOf(states: readonly NodeState[], scores: readonly number[]): NodeState | undefined {
  let best: NodeState | undefined
  let bestScore = Number.NEGATIVE_INFINITY
  for (const [index, state] of states.entries()) {
    const score = scores[index] ?? 0
    if (score <= bestScore) continue
    best = state
    bestScore = score
  }
  return best
}

/** e.g. `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
function failureText(states: readonly NodeState[], counts: ReadonlyMap<string, number>): string {
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted()
  return `0/${states.length} nodes are available: ${reasons.join(', ')}.`
}
