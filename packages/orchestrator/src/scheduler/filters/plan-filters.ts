// The filters of one pod, made ready once and asked for many nodes. Those that have nothing to check for this pod are left out.
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'
import type { NodeFilter, Refusal } from './filter.ts'
import {
  nodeSelectionFilter,
  portFilter,
  resourceFilter,
  taintFilter,
  unschedulableFilter,
} from './node-filters.ts'
import { podAffinityFilter } from './pod-affinity-filter.ts'
import { spreadFilter } from './spread-filter.ts'
import { planVolumes, type VolumeDecision } from './volume-filter.ts'

export interface FilterPlan {
  /** That of the first filter that refuses; undefined: the node can take the pod. */
  refusalOf(state: NodeState): Refusal | undefined
  /** For a node that can take the pod. */
  decideVolumes(state: NodeState): VolumeDecision | undefined
}

/** A text: no node can take the pod, for that reason. */
export function planFilters(facts: PodFacts, view: ClusterView): FilterPlan | string {
  const volumes = planVolumes(facts, view)
  if (typeof volumes === 'string') return volumes
  // In upstream's order: the first that refuses is the one that is told.
  const filters: readonly NodeFilter[] = [
    unschedulableFilter(facts),
    taintFilter(facts),
    nodeSelectionFilter(facts),
    portFilter(facts),
    resourceFilter(facts),
    volumes.filter,
    spreadFilter(facts, view),
    podAffinityFilter(facts, view),
  ].filter((filter) => filter !== undefined)
  return {
    refusalOf: (state) => {
      for (const filter of filters) {
        const refused = filter(state)
        if (refused !== undefined) return refused
      }
      return undefined
    },
    decideVolumes: (state) => volumes.decide(state),
  }
}
