// What is counted of work queues, under upstream's names.
import type { WorkQueueObserver } from '../client/work-queue.ts'
import type { Metrics } from './metrics.ts'

/** Seconds: 10 ns to 1000 s. */
const buckets = [1e-8, 1e-7, 1e-6, 9.999_999_999_999_999e-6, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 1000]
const labels = ['name']

export const queueObserver = (metrics: Metrics, name: string): WorkQueueObserver => {
  const adds = metrics
    .counter({
      name: 'workqueue_adds_total',
      help: '[ALPHA] Total number of adds handled by workqueue',
      labels,
    })
    .with(name)
  const retries = metrics
    .counter({
      name: 'workqueue_retries_total',
      help: '[ALPHA] Total number of retries handled by workqueue',
      labels,
    })
    .with(name)
  const waited = metrics
    .histogram({
      name: 'workqueue_queue_duration_seconds',
      help: '[ALPHA] How long in seconds an item stays in workqueue before being requested.',
      labels,
      buckets,
    })
    .with(name)
  const worked = metrics
    .histogram({
      name: 'workqueue_work_duration_seconds',
      help: '[ALPHA] How long in seconds processing an item from workqueue takes.',
      labels,
      buckets,
    })
    .with(name)
  return {
    added: () => {
      adds.add()
    },
    retried: () => {
      retries.add()
    },
    taken: (seconds) => {
      waited.observe(seconds)
    },
    done: (seconds) => {
      worked.observe(seconds)
    },
  }
}

/** What is read of a queue when metrics are asked for. */
export interface ObservedQueue {
  readonly size: number
  /** Seconds that each item under work has taken so far. */
  workingSeconds(): readonly number[]
}

/** Returns how to stop it. */
export const observeQueue = (
  metrics: Metrics,
  name: string,
  queue: ObservedQueue,
): (() => void) => {
  const stops = [
    metrics.collected(
      { name: 'workqueue_depth', help: '[ALPHA] Current depth of workqueue', labels },
      () => [[[name], queue.size]],
    ),
    metrics.collected(
      {
        name: 'workqueue_unfinished_work_seconds',
        help: "[ALPHA] How many seconds of work has done that is in progress and hasn't been observed by work_duration.",
        labels,
      },
      () => [[[name], queue.workingSeconds().reduce((sum, one) => sum + one, 0)]],
    ),
    metrics.collected(
      {
        name: 'workqueue_longest_running_processor_seconds',
        help: '[ALPHA] How many seconds has the longest running processor for workqueue been running.',
        labels,
      },
      () => [[[name], Math.max(0, ...queue.workingSeconds())]],
    ),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
