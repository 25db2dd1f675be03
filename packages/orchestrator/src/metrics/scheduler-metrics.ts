// What is counted of the scheduler, under upstream's names.
import type { Metrics } from './metrics.ts'

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error'

/** Seconds: 1 ms to about 16 s, doubling. */
const attemptBuckets = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index)
/** Seconds: 10 ms to about 1 h 30 min, doubling. */
const waitBuckets = Array.from({ length: 20 }, (_, index) => 0.01 * 2 ** index)
const labels = ['profile', 'result']

export interface SchedulerMetrics {
  /** A try for one pod has ended, `seconds` after it began. */
  attempted(profile: string, result: AttemptResult, seconds: number): void
  /** A pod has its node, so many seconds after it was first seen and after so many tries. */
  scheduled(seconds: number, attempts: number): void
  /** So many pods are to make room. */
  preempted(victims: number): void
}

export const schedulerMetrics = (metrics: Metrics): SchedulerMetrics => {
  const attempts = metrics.counter({
    name: 'scheduler_schedule_attempts_total',
    help: "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    labels,
  })
  const durations = metrics.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: '[STABLE] Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    labels,
    buckets: attemptBuckets,
  })
  const waits = metrics.histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: '[BETA] E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
    labels: ['attempts'],
    buckets: waitBuckets,
  })
  const tries = metrics.histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: '[STABLE] Number of attempts to successfully schedule a pod.',
    buckets: [1, 2, 4, 8, 16],
  })
  const preemptions = metrics.counter({
    name: 'scheduler_preemption_attempts_total',
    help: '[STABLE] Total preemption attempts in the cluster till now',
  })
  const victimCounts = metrics.histogram({
    name: 'scheduler_preemption_victims',
    help: '[STABLE] Number of selected preemption victims',
    buckets: [1, 2, 4, 8, 16, 32, 64],
  })
  return {
    attempted: (profile, result, seconds) => {
      attempts.with(profile, result).add()
      durations.with(profile, result).observe(seconds)
    },
    scheduled: (seconds, count) => {
      waits.with(count >= 16 ? '16+' : String(count)).observe(seconds)
      tries.with().observe(count)
    },
    preempted: (victims) => {
      preemptions.with().add()
      victimCounts.with().observe(victims)
    },
  }
}

/** How many pods wait, and for what. */
export interface PendingPods {
  readonly active: number
  readonly backoff: number
  readonly unschedulable: number
  readonly gated: number
}

/** Returns how to stop it. */
export const observePending = (metrics: Metrics, read: () => PendingPods): (() => void) =>
  metrics.collected(
    {
      name: 'scheduler_pending_pods',
      help: "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
      labels: ['queue'],
    },
    () => Object.entries(read()).map(([queue, count]) => [[queue], count as number]),
  )
