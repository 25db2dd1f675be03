// What every filter answers: nothing where the node can take the pod, else why not.
import type { NodeState } from '../snapshot/node-state.ts'

/** What a pod failed at; says which changes of the cluster may help it. */
export type FailureKind =
  | 'nodeUnschedulable'
  | 'taints'
  | 'nodeAffinity'
  | 'ports'
  | 'resources'
  | 'volumes'
  | 'spread'
  | 'podAffinity'

export interface Refusal {
  readonly kind: FailureKind
  /** Upstream's texts. */
  readonly reasons: readonly string[]
  /** Whether it stays so whatever pods leave the node. */
  readonly isFinal: boolean
}
/** Made for one pod; asked for many nodes. */
export type NodeFilter = (state: NodeState) => Refusal | undefined

export const refusal = (kind: FailureKind, reason: string, isFinal = false): Refusal => ({
  kind,
  reasons: [reason],
  isFinal,
})
