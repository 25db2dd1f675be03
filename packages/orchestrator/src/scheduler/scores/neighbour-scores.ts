// Scores that look at the neighbours: preferred affinity of both sides, and spreading that need not hold.
import type { TopologySpreadConstraint } from '../../resources/pod-spec/pod-spec.ts'
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { DomainCounts } from '../snapshot/domain-counts.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'
import { siblingMatcher, spreadMatcher } from '../snapshot/spread-matcher.ts'
import { scoreMax, type Score } from './score.ts'

interface WeightedCounts {
  readonly counts: DomainCounts
  readonly weight: number
}

export const podAffinity: Score = (facts, states, view) => {
  const { topology } = view
  const own = facts.terms.preferred.map(({ term, weight }): WeightedCounts => ({
    counts: topology.neighbours(term, term.topologyKey),
    weight,
  }))
  const theirs = topology.concerned(facts.podClass).filter(({ isAnti }) => !isAnti)
  const all = [...own, ...theirs]
  if (all.length === 0) return undefined
  return scaled(
    states.map(({ labels }) => {
      let sum = 0
      for (const { counts, weight } of all) {
        const domain = labels[counts.topologyKey]
        if (domain !== undefined) sum += weight * counts.in(domain)
      }
      return sum
    }),
  )
}

/** The smallest becomes 0, the largest 100. */
const scaled = (values: readonly number[]): readonly number[] | undefined => {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  if (max <= min) return undefined
  return values.map((value) => ((value - min) / (max - min)) * scoreMax)
}

interface SoftConstraint {
  readonly counts: DomainCounts
  readonly maxSkew: number
  /** Pods in many domains differ less than pods in few. */
  readonly weight: number
}

/** What upstream spreads by when a pod says nothing. */
const defaultSpread: readonly { readonly topologyKey: string; readonly maxSkew: number }[] = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
]

export const spread: Score = (facts, states, view) => {
  const own = facts.pod.spec.topologySpreadConstraints ?? []
  const soft = own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway')
  const constraints =
    own.length > 0 ? ownConstraints(soft, facts, states, view) : siblings(facts, states, view)
  if (constraints.length === 0) return undefined
  const isStrict = own.length > 0
  const sums = states.map(({ name, labels }) => {
    let sum = 0
    for (const { counts, maxSkew, weight } of constraints) {
      const domain = labels[counts.topologyKey]
      if (domain === undefined) {
        if (isStrict) return undefined
        continue
      }
      const count =
        counts.topologyKey === 'kubernetes.io/hostname' ? counts.onNode(name) : counts.in(domain)
      sum += count * weight + (maxSkew - 1)
    }
    return Math.round(sum)
  })
  return inverted(sums)
}

const ownConstraints = (
  soft: readonly TopologySpreadConstraint[],
  facts: PodFacts,
  states: readonly NodeState[],
  view: ClusterView,
): SoftConstraint[] =>
  soft.map((constraint) => ({
    counts: view.topology.neighbours(spreadMatcher(constraint, facts), constraint.topologyKey),
    maxSkew: constraint.maxSkew,
    weight: domainWeight(states, constraint.topologyKey),
  }))

function siblings(
  facts: PodFacts,
  states: readonly NodeState[],
  view: ClusterView,
): SoftConstraint[] {
  const matcher = siblingMatcher(facts)
  if (matcher === undefined) return []
  return defaultSpread.map(({ topologyKey, maxSkew }) => ({
    counts: view.topology.neighbours(matcher, topologyKey),
    maxSkew,
    weight: domainWeight(states, topologyKey),
  }))
}

const domainWeight = (states: readonly NodeState[], topologyKey: string): number => {
  if (topologyKey === 'kubernetes.io/hostname') return Math.log(states.length + 2)
  const domains = new Set<string>()
  for (const { labels } of states) {
    const domain = labels[topologyKey]
    if (domain !== undefined) domains.add(domain)
  }
  return Math.log(domains.size + 2)
}

/** The fewest become 100; nodes that do not count 0. */
const inverted = (sums: readonly (number | undefined)[]): readonly number[] | undefined => {
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const sum of sums) {
    if (sum === undefined) continue
    if (sum < min) min = sum
    if (sum > max) max = sum
  }
  if (min === Number.POSITIVE_INFINITY) return undefined
  return sums.map((sum) => {
    if (sum === undefined) return 0
    return max === 0 ? scoreMax : (scoreMax * (max + min - sum)) / max
  })
}
