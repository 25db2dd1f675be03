// How fast an autoscaler may go: the highest or lowest of recent recommendations counts within a window, and policies bound the change
// within a period.
import {
  scaleDownDefaults,
  scaleUpDefaults,
  type HorizontalPodAutoscalerSpec,
  type ScalingRules,
} from '../../resources/workloads/horizontal-pod-autoscaler.ts'

/** What an autoscaler remembers. Lost with the process: then it begins anew, as upstream's. */
export interface AutoscalerMemory {
  readonly recommendations: readonly { readonly replicas: number; readonly atMs: number }[]
  /** Above zero: pods added; below: taken away. */
  readonly changes: readonly { readonly change: number; readonly atMs: number }[]
}
export const noMemory: AutoscalerMemory = { recommendations: [], changes: [] }

export interface Bounded {
  readonly replicas: number
  /** Which direction recent recommendations kept it from. */
  readonly heldFrom: 'up' | 'down' | undefined
  readonly limit:
    | 'DesiredWithinRange'
    | 'TooManyReplicas'
    | 'TooFewReplicas'
    | 'ScaleUpLimit'
    | 'ScaleDownLimit'
  readonly memory: AutoscalerMemory
}

const downWindowSeconds = 300
const rememberedMs = 3_600_000
const rememberedMax = 1000

export function boundReplicas(
  spec: HorizontalPodAutoscalerSpec,
  current: number,
  proposed: number,
  memory: AutoscalerMemory,
  nowMs: number,
): Bounded {
  const up: ScalingRules = { ...scaleUpDefaults, ...spec.behavior?.scaleUp }
  const down: ScalingRules = { ...scaleDownDefaults, ...spec.behavior?.scaleDown }
  const recent = memory.recommendations.filter(({ atMs }) => atMs > nowMs - rememberedMs)
  const within = (windowSeconds: number): number[] =>
    recent.filter(({ atMs }) => atMs > nowMs - windowSeconds * 1000).map(({ replicas }) => replicas)
  const lowest = Math.min(proposed, ...within(up.stabilizationWindowSeconds ?? 0))
  const highest = Math.max(
    proposed,
    ...within(down.stabilizationWindowSeconds ?? downWindowSeconds),
  )
  const stabilized = Math.min(Math.max(current, lowest), highest)
  const min = spec.minReplicas ?? 1
  const changes = memory.changes.filter(({ atMs }) => atMs > nowMs - rememberedMs)
  const bounded =
    stabilized > current
      ? boundUp(current, stabilized, spec.maxReplicas, limitOf(up, current, changes, nowMs, 1))
      : boundDown(current, stabilized, min, limitOf(down, current, changes, nowMs, -1))
  const recommendations = [...recent, { replicas: proposed, atMs: nowMs }].slice(-rememberedMax)
  return {
    ...bounded,
    heldFrom: stabilized > proposed ? 'down' : stabilized < proposed ? 'up' : undefined,
    memory: { recommendations, changes: changes.slice(-rememberedMax) },
  }
}

type Outcome = Pick<Bounded, 'replicas' | 'limit'>

const boundUp = (current: number, wanted: number, max: number, limit: number): Outcome => {
  const allowed = Math.max(current, limit)
  if (wanted <= Math.min(allowed, max)) return { replicas: wanted, limit: 'DesiredWithinRange' }
  return max <= allowed
    ? { replicas: max, limit: 'TooManyReplicas' }
    : { replicas: allowed, limit: 'ScaleUpLimit' }
}

const boundDown = (current: number, wanted: number, min: number, limit: number): Outcome => {
  const allowed = Math.min(current, limit)
  if (wanted >= Math.max(allowed, min)) return { replicas: wanted, limit: 'DesiredWithinRange' }
  return min >= allowed
    ? { replicas: min, limit: 'TooFewReplicas' }
    : { replicas: allowed, limit: 'ScaleDownLimit' }
}

/** The size that the policies of one direction allow; of several the one that changes most, or least. */
function limitOf(
  { policies = [], selectPolicy = 'Max' }: ScalingRules,
  current: number,
  changes: AutoscalerMemory['changes'],
  nowMs: number,
  direction: 1 | -1,
): number {
  if (selectPolicy === 'Disabled') return current
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const recent = changes.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000)
    const start = current - recent.reduce((sum, { change }) => sum + change, 0)
    if (type === 'Pods') return start + direction * value
    const share = start * (1 + (direction * value) / 100)
    return direction > 0 ? Math.ceil(share) : Math.trunc(share)
  })
  const goesFar = (selectPolicy === 'Max') === direction > 0
  return goesFar ? Math.max(...limits) : Math.min(...limits)
}
