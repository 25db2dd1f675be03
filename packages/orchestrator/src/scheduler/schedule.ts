// The decision for one pod: the best of the nodes that can take it, or why none can. On large clusters a sample of the nodes is enough; the
// search starts where the last one ended, so that all nodes get their turn.
import { planFilters, type FilterPlan } from './filters/plan-filters.ts'
import type { FailureKind } from './filters/filter.ts'
import type { VolumeDecision } from './filters/volume-filter.ts'
import { defaultProfile, type Profile } from './profile.ts'
import type { ClusterView } from './snapshot/cluster-view.ts'
import type { NodeState, PodFacts } from './snapshot/node-state.ts'

export interface Placement {
  readonly type: 'node'
  readonly nodeName: string
  readonly nextStart: number
  /** What must be written for the pod's claims first. */
  readonly volumes: VolumeDecision | undefined
}
export interface Failure {
  readonly type: 'unschedulable'
  readonly message: string
  /** What it failed at, on any node. */
  readonly kinds: ReadonlySet<FailureKind>
  /** Nodes where it would fit if other pods left. */
  readonly candidates: readonly NodeState[]
}
export type Decision = Placement | Failure

export interface ScheduleOptions {
  readonly profile?: Profile
  /** The index of the node to look at first; give `nextStart` of the last decision. */
  readonly start?: number
}

const sampledNodesMin = 100

/** How many nodes that can take the pod are enough to choose from; `percent` 0: upstream's choice. */
export const feasibleNodesEnough = (nodeCount: number, percent = 0): number => {
  if (nodeCount < sampledNodesMin || percent >= 100) return nodeCount
  const share = percent === 0 ? Math.max(5, 50 - Math.floor(nodeCount / 125)) : percent
  return Math.max(sampledNodesMin, Math.floor((nodeCount * share) / 100))
}

export function schedule(
  facts: PodFacts,
  view: ClusterView,
  { profile = defaultProfile, start = 0 }: ScheduleOptions = {},
): Decision {
  const states = view.nodes()
  if (states.length === 0)
    return failure('no nodes available to schedule pods', ['nodeUnschedulable'])
  const plan = planFilters(facts, view)
  if (typeof plan === 'string')
    return failure(`0/${states.length} nodes are available: ${plan}.`, ['volumes'])
  const nominated = nominatedPlace(facts, view, plan, start)
  if (nominated !== undefined) return nominated
  const enough = feasibleNodesEnough(states.length, profile.percentageOfNodesToScore)
  const search = findNodes(facts, view, plan, { states, start, enough })
  const best = bestOf(search.feasible, facts, view, profile)
  if (best === undefined) return failureOf(states.length, search)
  return placed(best, plan, (start + search.looked) % states.length)
}

const placed = (state: NodeState, plan: FilterPlan, nextStart: number): Placement => ({
  type: 'node',
  nodeName: state.name,
  nextStart,
  volumes: plan.decideVolumes(state),
})

/** The node that was cleared for the pod, as soon as it fits there. */
function nominatedPlace(
  facts: PodFacts,
  view: ClusterView,
  plan: FilterPlan,
  start: number,
): Placement | undefined {
  const name = view.nominationOf(facts.uid)
  const state = name === undefined ? undefined : view.node(name)
  if (state?.node === undefined || refusalOf(facts, view, plan, state) !== undefined)
    return undefined
  return placed(state, plan, start)
}

interface Search {
  readonly feasible: readonly NodeState[]
  readonly looked: number
  readonly counts: ReadonlyMap<string, number>
  readonly kinds: ReadonlySet<FailureKind>
  readonly candidates: readonly NodeState[]
}

function findNodes(
  facts: PodFacts,
  view: ClusterView,
  plan: FilterPlan,
  { states, start, enough }: { states: readonly NodeState[]; start: number; enough: number },
): Search {
  const feasible: NodeState[] = []
  const candidates: NodeState[] = []
  const counts = new Map<string, number>()
  const kinds = new Set<FailureKind>()
  let looked = 0
  while (looked < states.length && feasible.length < enough) {
    const state = states[(start + looked++) % states.length]
    if (state === undefined) break
    const refused = refusalOf(facts, view, plan, state)
    if (refused === undefined) {
      feasible.push(state)
      continue
    }
    kinds.add(refused.kind)
    if (!refused.isFinal) candidates.push(state)
    for (const reason of refused.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return { feasible, looked, counts, kinds, candidates }
}

/** Pods that are to come to a node, by preemption, keep their room from those that are not more important. */
function refusalOf(
  facts: PodFacts,
  view: ClusterView,
  plan: FilterPlan,
  state: NodeState,
): ReturnType<FilterPlan['refusalOf']> {
  const nominated = view.nominatedTo(state.name)
  if (nominated !== undefined) {
    const before = [...nominated.values()].filter(
      ({ uid, priority }) => uid !== facts.uid && priority >= facts.priority,
    )
    if (before.length > 0) {
      const refused = view.supposing({ with: before }, state.name, () => {
        const again = planFilters(facts, view)
        return typeof again === 'string' ? undefined : again.refusalOf(state)
      })
      if (refused !== undefined) return refused
    }
  }
  return plan.refusalOf(state)
}

/** The first of the best: since the start moves on, ties are spread. */
function bestOf(
  states: readonly NodeState[],
  facts: PodFacts,
  view: ClusterView,
  profile: Profile,
): NodeState | undefined {
  const [only] = states
  if (states.length <= 1) return only
  const sums = new Float64Array(states.length)
  for (const { score, weight } of profile.scores) {
    const values = score(facts, states, view)
    if (values === undefined) continue
    for (let index = 0; index < sums.length; index++)
      sums[index] = (sums[index] ?? 0) + (values[index] ?? 0) * weight
  }
  let best = 0
  for (let index = 1; index < sums.length; index++)
    if ((sums[index] ?? 0) > (sums[best] ?? 0)) best = index
  return states[best]
}

const failure = (message: string, kinds: readonly FailureKind[]): Failure => ({
  type: 'unschedulable',
  message,
  kinds: new Set(kinds),
  candidates: [],
})

/** e.g. `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
const failureOf = (nodeCount: number, { counts, kinds, candidates }: Search): Failure => ({
  type: 'unschedulable',
  message: `0/${nodeCount} nodes are available: ${countedReasons(counts)}.`,
  kinds,
  candidates,
})

export const countedReasons = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(', ')
