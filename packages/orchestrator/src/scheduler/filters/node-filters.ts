// The filters that look at the node alone: cordons, taints, selectors and affinity, host ports, resources.
import type { Toleration } from '../../resources/pod-spec/pod-spec.ts'
import { matchesNodeSelection } from '../node-affinity.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'
import { portsClash } from '../snapshot/pod-demand.ts'
import { isTolerated } from '../taints.ts'
import { refusal, type NodeFilter, type Refusal } from './filter.ts'

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
const unschedulable = refusal('nodeUnschedulable', 'node(s) were unschedulable', true)
const otherSelection = refusal(
  'nodeAffinity',
  `node(s) didn't match Pod's node affinity/selector`,
  true,
)
const takenPorts = refusal('ports', `node(s) didn't have free ports for the requested pod ports`)
const noTolerations: readonly Toleration[] = []

export const unschedulableFilter = ({ pod }: PodFacts): NodeFilter | undefined =>
  isTolerated(pod.spec.tolerations ?? noTolerations, unschedulableTaint)
    ? undefined
    : ({ node }) => (node?.spec.unschedulable === true ? unschedulable : undefined)

export const taintFilter = ({ pod }: PodFacts): NodeFilter => {
  const tolerations = pod.spec.tolerations ?? noTolerations
  return ({ hardTaints }) => {
    if (hardTaints.length === 0) return undefined
    const taint = hardTaints.find((each) => !isTolerated(tolerations, each))
    return taint === undefined
      ? undefined
      : refusal(
          'taints',
          `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`,
          true,
        )
  }
}

export const nodeSelectionFilter = ({ pod: { spec } }: PodFacts): NodeFilter | undefined =>
  spec.nodeSelector === undefined && spec.affinity?.nodeAffinity === undefined
    ? undefined
    : ({ node }) =>
        node !== undefined && matchesNodeSelection(spec, node) ? undefined : otherSelection

export const portFilter = ({ demand }: PodFacts): NodeFilter | undefined =>
  demand.hostPorts.length === 0
    ? undefined
    : ({ hostPorts }) => {
        for (const taken of hostPorts.keys())
          if (demand.hostPorts.some((port) => portsClash(port, taken))) return takenPorts
        return undefined
      }

export const resourceFilter = ({ demand }: PodFacts): NodeFilter => {
  const asked = [...demand.requests].filter(([, amount]) => amount > 0)
  return (state) => {
    let reasons: string[] | undefined
    let isFinal = false
    if (state.pods.size + 1 > state.podsMax) reasons = ['Too many pods']
    for (const [name, amount] of asked) {
      const all = state.allocatable.get(name) ?? 0
      if (amount <= all - (state.requested.get(name) ?? 0)) continue
      reasons = [...(reasons ?? []), `Insufficient ${name}`]
      if (amount > all) isFinal = true
    }
    return reasons === undefined ? undefined : insufficient(reasons, isFinal)
  }
}

const insufficient = (reasons: readonly string[], isFinal: boolean): Refusal => ({
  kind: 'resources',
  reasons,
  isFinal,
})

/** Whether the node counts for a pod's spreading under the policies Honor. */
export const isEligible = (
  facts: PodFacts,
  state: NodeState,
  honors: { affinity: boolean; taints: boolean },
): boolean => {
  const { spec } = facts.pod
  if (honors.affinity && (state.node === undefined || !matchesNodeSelection(spec, state.node)))
    return false
  return (
    !honors.taints ||
    state.hardTaints.every((taint) => isTolerated(spec.tolerations ?? noTolerations, taint))
  )
}
