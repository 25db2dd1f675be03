// Required affinity and anti-affinity between pods, both ways: what the pod asks of its neighbours, and what pods that are there ask of it.
// Looks up counts by domain; no pod is looked at.
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { PodFacts } from '../snapshot/node-state.ts'
import { allOf } from '../snapshot/pod-terms.ts'
import { refusal, type NodeFilter } from './filter.ts'

const otherAffinity = refusal('podAffinity', `node(s) didn't match pod affinity rules`, true)
const ownAntiAffinity = refusal('podAffinity', `node(s) didn't match pod anti-affinity rules`)
const theirAntiAffinity = refusal(
  'podAffinity',
  `node(s) didn't satisfy existing pods anti-affinity rules`,
)

export function podAffinityFilter(facts: PodFacts, view: ClusterView): NodeFilter | undefined {
  const { topology } = view
  const { terms, podClass } = facts
  const theirs = topology.concerned(podClass).filter(({ isAnti }) => isAnti)
  const against = terms.antiAffinity.map((term) => topology.neighbours(term, term.topologyKey))
  const together = allOf(terms.affinity)
  const near = terms.affinity.map((term) => topology.neighbours(together, term.topologyKey))
  if (theirs.length + against.length + near.length === 0) return undefined
  const isOwnKind = near.length > 0 && topology.isMatched(together, podClass)
  return ({ labels }) => {
    if (near.length > 0) {
      if (near.some(({ topologyKey }) => labels[topologyKey] === undefined)) return otherAffinity
      const isNear = near.every((counts) => counts.in(labels[counts.topologyKey] ?? '') > 0)
      // The first of a group that wants to be together starts it anywhere.
      const isFirst = isOwnKind && near.every((counts) => counts.domains.size === 0)
      if (!isNear && !isFirst) return otherAffinity
    }
    for (const counts of against) {
      const domain = labels[counts.topologyKey]
      if (domain !== undefined && counts.in(domain) > 0) return ownAntiAffinity
    }
    for (const { counts } of theirs) {
      const domain = labels[counts.topologyKey]
      if (domain !== undefined && counts.in(domain) > 0) return theirAntiAffinity
    }
    return undefined
  }
}
