// Whether a pod that was bound to the node fits on it. The scheduler has seen to that; whoever names a node in a pod's spec has not.
import type { Pod } from '../../resources/pod.ts'
import { amountsOf, podDemand } from '../../scheduler/snapshot/pod-demand.ts'

export interface Refusal {
  readonly reason: string
  readonly message: string
}

/** `others`: the pods that take room. Undefined: it fits. */
export function refusalOf(
  pod: Pod,
  others: readonly Pod[],
  capacity: Readonly<Record<string, string>>,
): Refusal | undefined {
  const wanted = amountsOf(capacity)
  const asked = new Map([...podDemand(pod).requests, ['pods', 1]])
  for (const [resource, room] of wanted) {
    const requested = asked.get(resource) ?? 0
    if (requested === 0) continue
    const usedBy = (other: Pod): number =>
      resource === 'pods' ? 1 : (podDemand(other).requests.get(resource) ?? 0)
    const used = others.reduce((sum, other) => sum + usedBy(other), 0)
    if (used + requested <= room) continue
    return {
      reason: `OutOf${resource}`,
      message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${room}`,
    }
  }
  return undefined
}
