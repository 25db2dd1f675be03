// Which pods must leave so that a more important one fits: for every node that may help, the fewest victims there; of these the node where
// it hurts least. Victims are always less important than the pod they make room for.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { planFilters } from '../filters/plan-filters.ts'
import { countedReasons, type Failure } from '../schedule.ts'
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { NodeState, PlacedPod, PodFacts } from '../snapshot/node-state.ts'
import { BudgetView, type Budget } from './budget-view.ts'

export type Preemption =
  | {
      readonly type: 'victims'
      readonly nodeName: string
      readonly victims: readonly Stored<Pod>[]
    }
  /** Ends the message of the failure. */
  | { readonly type: 'none'; readonly message: string }

interface Candidate {
  readonly state: NodeState
  /** Most important first. */
  readonly victims: readonly PlacedPod[]
  readonly violations: number
}

/** As upstream: a tenth of the nodes, at least so many. */
const candidatesMin = 100
const candidatesShare = 0.1

const notHelpful = 'Preemption is not helpful for scheduling'
const noVictims = 'No preemption victims found for incoming pod'

export function preempt(
  facts: PodFacts,
  failure: Failure,
  view: ClusterView,
  budgets: readonly Budget[] = [],
): Preemption {
  if (facts.pod.spec.preemptionPolicy === 'Never')
    return none('not eligible due to preemptionPolicy=Never.')
  if (isWaitingForVictims(facts, view))
    return none('not eligible due to a terminating pod on the nominated node.')
  const nodes = view.nodes().length
  const enough = Math.max(candidatesMin, Math.floor(nodes * candidatesShare))
  const counts = new Map<string, number>()
  const found: Candidate[] = []
  let helpless = nodes - failure.candidates.length
  for (const state of failure.candidates) {
    if (found.length >= enough) break
    const candidate = candidateOf(facts, state, view, budgets)
    if (candidate === undefined) counts.set(noVictims, (counts.get(noVictims) ?? 0) + 1)
    else if (candidate === 'unhelpful') helpless++
    else found.push(candidate)
  }
  const best = bestOf(found)
  if (best !== undefined)
    return {
      type: 'victims',
      nodeName: best.state.name,
      victims: best.victims.map(({ pod }) => pod),
    }
  if (helpless > 0) counts.set(notHelpful, helpless)
  return none(`0/${nodes} nodes are available: ${countedReasons(counts)}.`)
}

const none = (message: string): Preemption => ({ type: 'none', message: `preemption: ${message}` })

/** Whether pods that were pushed out for this one are still leaving. */
function isWaitingForVictims({ uid, priority }: PodFacts, view: ClusterView): boolean {
  const nominated = view.nominationOf(uid)
  const state = nominated === undefined ? undefined : view.node(nominated)
  if (state === undefined) return false
  for (const placed of state.pods.values())
    if (placed.priority < priority && placed.pod.metadata.deletionTimestamp !== undefined)
      return true
  return false
}

/** Undefined: nobody there is less important. */
function candidateOf(
  facts: PodFacts,
  state: NodeState,
  view: ClusterView,
  budgets: readonly Budget[],
): Candidate | 'unhelpful' | undefined {
  const lower = [...state.pods.values()].filter(({ priority }) => priority < facts.priority)
  if (lower.length === 0) return undefined
  const fitsWithout = (without: readonly PlacedPod[]): boolean =>
    view.supposing({ without, with: nominatedBefore(facts, state, view) }, state.name, () => {
      const plan = planFilters(facts, view)
      const now = view.node(state.name)
      return typeof plan !== 'string' && now !== undefined && plan.refusalOf(now) === undefined
    })
  if (!fitsWithout(lower)) return 'unhelpful'
  const byImportance = lower.toSorted(compareImportance)
  const { violating, others } = new BudgetView(budgets).split(byImportance)
  const victims = new Set(lower)
  // Whoever need not leave stays, the most important first, those that a budget protects before all.
  const reprieve = (placed: PlacedPod): boolean => {
    victims.delete(placed)
    if (fitsWithout([...victims])) return true
    victims.add(placed)
    return false
  }
  const violations = violating.filter((placed) => !reprieve(placed)).length
  for (const placed of others) reprieve(placed)
  return {
    state,
    violations,
    victims: byImportance.filter((placed) => victims.has(placed)),
  }
}

const nominatedBefore = (facts: PodFacts, state: NodeState, view: ClusterView): PodFacts[] =>
  [...(view.nominatedTo(state.name)?.values() ?? [])].filter(
    ({ uid, priority }) => uid !== facts.uid && priority >= facts.priority,
  )

const startOf = ({ pod }: PlacedPod): string =>
  pod.status.startTime ?? pod.metadata.creationTimestamp

/** The more important first; of equals the one that has run longer. */
const compareImportance = (left: PlacedPod, right: PlacedPod): number =>
  right.priority - left.priority ||
  (startOf(left) < startOf(right) ? -1 : startOf(left) > startOf(right) ? 1 : 0)

/** Fewest violated budgets, least important top victim, least importance in sum, fewest victims, latest start of the top victim. */
function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const priorityOffset = 2 ** 31
  const keyOf = ({ violations, victims }: Candidate): readonly number[] => [
    violations,
    victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
    victims.reduce((sum, { priority }) => sum + priority + priorityOffset, 0),
    victims.length,
    -Math.min(...topVictims(victims).map((placed) => Date.parse(startOf(placed)))),
  ]
  let best: { readonly candidate: Candidate; readonly key: readonly number[] } | undefined
  for (const candidate of candidates) {
    const key = keyOf(candidate)
    if (best === undefined || isLess(key, best.key)) best = { candidate, key }
  }
  return best?.candidate
}

const topVictims = (victims: readonly PlacedPod[]): readonly PlacedPod[] =>
  victims.filter(({ priority }) => priority === victims[0]?.priority)

const isLess = (left: readonly number[], right: readonly number[]): boolean => {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0
    if (value !== other) return value < other
  }
  return false
}
