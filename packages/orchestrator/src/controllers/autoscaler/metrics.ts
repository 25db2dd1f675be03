// What an autoscaler is told of its metrics. Values count thousandths, so that `250m` of a CPU is 250.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'

export interface Sample {
  readonly milli: number
  readonly atMs: number
  readonly windowMs: number
}
/** One for each metric of the spec, in its order. `byPod`: by name of the pod; pods that nobody measures are not in it. */
export type Reading =
  | { readonly type: 'byPod'; readonly samples: ReadonlyMap<string, Sample> }
  | { readonly type: 'total'; readonly milli: number }
  | { readonly type: 'unavailable'; readonly why: string }

export interface PodGroups {
  readonly readyCount: number
  readonly ignored: ReadonlySet<string>
  readonly unready: ReadonlySet<string>
  readonly missing: ReadonlySet<string>
}

/** A pod that starts uses more CPU than it will: that does not count so soon. */
const cpuInitializationMs = 300_000
const readinessDelayMs = 30_000

export function groupPods(
  pods: readonly Stored<Pod>[],
  samples: ReadonlyMap<string, Sample>,
  isCpu: boolean,
  nowMs: number,
): PodGroups {
  const ignored = new Set<string>()
  const unready = new Set<string>()
  const missing = new Set<string>()
  let readyCount = 0
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const { phase } = pod.status
    const sample = samples.get(name)
    if (deletionTimestamp !== undefined || phase === 'Failed') ignored.add(name)
    else if (phase === 'Pending') unready.add(name)
    else if (sample === undefined) missing.add(name)
    else if (isCpu && isStarting(pod, sample, nowMs)) unready.add(name)
    else readyCount++
  }
  return { readyCount, ignored, unready, missing }
}

function isStarting({ status }: Stored<Pod>, sample: Sample, nowMs: number): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const startMs = Date.parse(status.startTime ?? '')
  if (ready === undefined || Number.isNaN(startMs)) return true
  const changedMs = Date.parse(ready.lastTransitionTime ?? '') || 0
  if (startMs + cpuInitializationMs > nowMs)
    return ready.status === 'False' || sample.atMs < changedMs + sample.windowMs
  // Not ready now, and it never was.
  return ready.status === 'False' && startMs + readinessDelayMs > changedMs
}
