// Topology spread constraints that must hold: no domain may have more than maxSkew pods more than the emptiest domain that counts.
import type { TopologySpreadConstraint } from '../../resources/pod-spec/pod-spec.ts'
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { DomainCounts } from '../snapshot/domain-counts.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'
import { spreadMatcher } from '../snapshot/spread-matcher.ts'
import { refusal, type NodeFilter } from './filter.ts'
import { isEligible } from './node-filters.ts'

const uneven = refusal('spread', `node(s) didn't match pod topology spread constraints`)
const unlabelled = refusal(
  'spread',
  `node(s) didn't match pod topology spread constraints (missing required label)`,
  true,
)

interface Constraint {
  readonly topologyKey: string
  /** Pods beyond which a domain is full. */
  readonly countMax: number
  /** 1 when the pod itself counts. */
  readonly own: number
  count(domain: string): number
}

export function spreadFilter(facts: PodFacts, view: ClusterView): NodeFilter | undefined {
  const required = (facts.pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  )
  if (required.length === 0) return undefined
  const keys = required.map(({ topologyKey }) => topologyKey)
  const constraints = required.map((each) => constraintOf(each, keys, facts, view))
  return ({ labels }) => {
    for (const { topologyKey, countMax, own, count } of constraints) {
      const domain = labels[topologyKey]
      if (domain === undefined) return unlabelled
      if (count(domain) + own > countMax) return uneven
    }
    return undefined
  }
}

function constraintOf(
  constraint: TopologySpreadConstraint,
  keys: readonly string[],
  facts: PodFacts,
  view: ClusterView,
): Constraint {
  const { topologyKey, maxSkew, minDomains = 1 } = constraint
  const matcher = spreadMatcher(constraint, facts)
  const counts = view.topology.neighbours(matcher, topologyKey)
  const domains = countedDomains(constraint, keys, facts, view, counts)
  let min = Number.POSITIVE_INFINITY
  for (const count of domains.values()) if (count < min) min = count
  const emptiest = domains.size < minDomains || domains.size === 0 ? 0 : min
  return {
    topologyKey,
    countMax: emptiest + maxSkew,
    own: view.topology.isMatched(matcher, facts.podClass) ? 1 : 0,
    // A domain that does not count has nothing in it.
    count: (domain) => domains.get(domain) ?? 0,
  }
}

/** Pods by domain, over the nodes that count: those with every topology key, and that the policies let in. */
function countedDomains(
  { topologyKey, nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint,
  keys: readonly string[],
  facts: PodFacts,
  view: ClusterView,
  counts: DomainCounts,
): ReadonlyMap<string, number> {
  const { spec } = facts.pod
  const isSelective = spec.nodeSelector !== undefined || spec.affinity?.nodeAffinity !== undefined
  const honors = {
    affinity: nodeAffinityPolicy !== 'Ignore' && isSelective,
    taints: nodeTaintsPolicy === 'Honor',
  }
  const counted = (state: NodeState): boolean =>
    keys.every((key) => state.labels[key] !== undefined) &&
    (!(honors.affinity || honors.taints) || isEligible(facts, state, honors))
  const domains = new Map<string, number>()
  for (const state of view.nodes()) {
    if (!counted(state)) continue
    const domain = state.labels[topologyKey] ?? ''
    domains.set(domain, (domains.get(domain) ?? 0) + counts.onNode(state.name))
  }
  return domains
}
