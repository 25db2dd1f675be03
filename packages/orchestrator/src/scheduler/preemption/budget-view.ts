// Disruption budgets as preemption needs them: which of the pods on a node could not leave without violating one.
import { matchesSelector } from '../../resources/label-selector.ts'
import type { LabelSelector } from '../../resources/object.ts'
import type { PlacedPod } from '../snapshot/node-state.ts'

export interface Budget {
  readonly namespace: string
  readonly selector: LabelSelector | undefined
  readonly disruptionsAllowed: number
  /** Names of pods that are leaving already and count as gone. */
  readonly disrupted: ReadonlySet<string>
}

export class BudgetView {
  readonly #left: { readonly budget: Budget; allowed: number }[]

  constructor(budgets: readonly Budget[]) {
    this.#left = budgets.map((budget) => ({ budget, allowed: budget.disruptionsAllowed }))
  }

  /** In their order; every pod uses up what its budgets allow. */
  split(pods: readonly PlacedPod[]): {
    readonly violating: readonly PlacedPod[]
    readonly others: readonly PlacedPod[]
  } {
    const violating: PlacedPod[] = []
    const others: PlacedPod[] = []
    for (const placed of pods) (this.#takes(placed) ? others : violating).push(placed)
    return { violating, others }
  }

  #takes({ pod }: PlacedPod): boolean {
    const { namespace = '', labels, name } = pod.metadata
    let isAllowed = true
    for (const each of this.#left) {
      const { budget } = each
      // A pod without labels is under no budget.
      const isUnder =
        budget.namespace === namespace &&
        budget.selector !== undefined &&
        labels !== undefined &&
        !budget.disrupted.has(name) &&
        matchesSelector(budget.selector, labels)
      if (!isUnder) continue
      each.allowed--
      if (each.allowed < 0) isAllowed = false
    }
    return isAllowed
  }
}
