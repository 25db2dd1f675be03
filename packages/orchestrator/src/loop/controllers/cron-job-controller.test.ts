import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import type { Stored } from '../../resources/object.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { cronJobType, type CronJob, type CronJobSpec } from '../../resources/workloads/cron-job.ts'
import { isJobFinished, jobType, type Job } from '../../resources/workloads/job.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { cronJobController } from './cron-job-controller.ts'

const minuteMs = 60_000
const cronJobOf = (spec: Partial<CronJobSpec>): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'cj', namespace: 'default' },
  spec: {
    schedule: '*/10 * * * *',
    jobTemplate: {
      metadata: { labels: { made: 'by-cron' } },
      spec: {
        template: {
          spec: { containers: [{ name: 'c', image: 'i', resources: {} }], restartPolicy: 'Never' },
        },
      },
    },
    ...spec,
  },
  status: {},
})
const started = (spec: Partial<CronJobSpec> = {}): SimulatedCluster => {
  const cluster = new SimulatedCluster({ controllers: [cronJobController], random: randomOf(1) })
  cluster.put(cronJobType, cronJobOf(spec))
  return cluster
}
const current = (cluster: SimulatedCluster): Stored<CronJob> => {
  const found = cluster.api.get<CronJob>(cronJobType, 'default/cj')
  if (found === undefined) throw new Error('no cron job')
  return found
}
const jobs = (cluster: SimulatedCluster): Stored<Job>[] => cluster.api.all<Job>(jobType)
const names = (cluster: SimulatedCluster): string[] =>
  jobs(cluster).map(({ metadata }) => metadata.name)
const end = (cluster: SimulatedCluster, job: Stored<Job>, type = 'Complete'): void => {
  const lastTransitionTime = new Date(cluster.api.nowMs).toISOString()
  const conditions = [{ type, status: 'True' as const, lastTransitionTime }]
  const completionTime = type === 'Complete' ? { completionTime: lastTransitionTime } : {}
  cluster.api.update(
    jobType,
    { ...job, status: { conditions, ...completionTime } } as Job,
    'status',
  )
}
/** Lets time pass without skipping to the next timers: they come for ever. */
const pass = (cluster: SimulatedCluster, minutes: number): void => {
  cluster.api.nowMs += minutes * minuteMs
  for (let round = 0; round < 5; round++) {
    cluster.deliverAll()
    while (cluster.reconcileSome(Number.POSITIVE_INFINITY, false)) cluster.deliverAll()
    cluster.turn(false)
  }
}
const reasons = (cluster: SimulatedCluster): string[] =>
  cluster.api.events.map(({ reason }) => reason)
// 2026-01-01T00:10:00Z
const firstMinute = 29_453_770

test('a job is made at each time, named after it, and followed in the status', () => {
  const cluster = started()
  pass(cluster, 0)
  expect(names(cluster)).toEqual([])
  pass(cluster, 10)
  expect(jobs(cluster)).toMatchObject([
    {
      metadata: {
        name: `cj-${firstMinute}`,
        labels: { made: 'by-cron' },
        annotations: {
          'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:10:00Z',
        },
        ownerReferences: [{ kind: 'CronJob', name: 'cj', controller: true }],
      },
    },
  ])
  expect(current(cluster).status).toMatchObject({
    active: [{ name: `cj-${firstMinute}` }],
    lastScheduleTime: '2026-01-01T00:10:00Z',
  })
  const [job] = jobs(cluster)
  if (job !== undefined) end(cluster, job)
  pass(cluster, 1)
  expect(current(cluster).status).toEqual({
    lastScheduleTime: '2026-01-01T00:10:00Z',
    lastSuccessfulTime: expect.any(String) as string,
  })
  expect(reasons(cluster)).toEqual(['SuccessfulCreate', 'SawCompletedJob'])
})

test.each([
  ['Allow', 2, []],
  ['Forbid', 1, ['JobAlreadyActive']],
  ['Replace', 1, ['SuccessfulDelete']],
])('when the last job still runs, %s leaves %d', (concurrencyPolicy, count, told) => {
  const cluster = started({ concurrencyPolicy })
  pass(cluster, 10)
  pass(cluster, 10)
  expect(jobs(cluster)).toHaveLength(count)
  expect(reasons(cluster)).toEqual(expect.arrayContaining(told))
  expect(reasons(cluster)).not.toContain('MissingJob')
  expect(names(cluster).at(-1)).toBe(
    `cj-${concurrencyPolicy === 'Forbid' ? firstMinute : firstMinute + 10}`,
  )
})

test('of many missed times only the last is made up for, and none that is too old', () => {
  const cluster = started()
  pass(cluster, 10 * 300 + 3)
  expect(names(cluster)).toEqual([`cj-${firstMinute + 10 * 299}`])
  expect(reasons(cluster)).toContain('TooManyMissedTimes')
  const strict = started({ startingDeadlineSeconds: 60 })
  pass(strict, 15)
  expect(names(strict)).toEqual([])
})

test('suspended makes none, and history keeps as many as it says', () => {
  const cluster = started({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 })
  for (let round = 0; round < 6; round++) {
    pass(cluster, 10)
    const job = jobs(cluster).find((each) => !isJobFinished(each))
    if (job !== undefined) end(cluster, job, round % 2 === 0 ? 'Complete' : 'Failed')
    pass(cluster, 0)
  }
  expect(names(cluster)).toEqual([20, 40, 50].map((minutes) => `cj-${firstMinute + minutes}`))
  cluster.api.patch(cronJobType, 'default/cj', { spec: { suspend: true } })
  pass(cluster, 60)
  expect(jobs(cluster)).toHaveLength(3)
})

test('a time zone is the schedule’s', () => {
  const cluster = started({ schedule: '0 9 * * *', timeZone: 'Europe/Berlin' })
  pass(cluster, 24 * 60)
  expect(jobs(cluster)[0]?.metadata.annotations).toEqual({
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T09:00:00+01:00',
  })
})

test('no time has two jobs and the last has one, whatever happens', () => {
  checkControllers({
    controllers: [cronJobController],
    setup: (cluster) => {
      const concurrencyPolicy = ['Allow', 'Forbid', 'Replace'][Math.floor(cluster.random() * 3)]
      cluster.put(
        cronJobType,
        cronJobOf({ schedule: '* * * * *', concurrencyPolicy: concurrencyPolicy ?? '' }),
      )
    },
    deeds: [
      (cluster, choice) => {
        const running = jobs(cluster).filter((job) => !isJobFinished(job))
        const job = running[choice % running.length]
        if (job !== undefined) end(cluster, job, choice % 3 === 0 ? 'Failed' : 'Complete')
      },
      (cluster, choice) => {
        const job = jobs(cluster)[choice % jobs(cluster).length]
        if (job !== undefined) cluster.api.delete(jobType, objectKey(job), job.metadata.uid)
      },
      (cluster, choice) => {
        cluster.api.nowMs += (choice % 5) * minuteMs
      },
    ],
    always: (cluster) => {
      for (const name of names(cluster)) expect(name).toMatch(/^cj-\d+$/)
      const running = jobs(cluster).filter((job) => !isJobFinished(job))
      if (current(cluster).spec.concurrencyPolicy !== 'Allow')
        expect(running.length).toBeLessThanOrEqual(1)
    },
    calm: (cluster) => {
      // One more time comes when nothing is in its way, and then none.
      for (const job of jobs(cluster)) if (!isJobFinished(job)) end(cluster, job)
      pass(cluster, 1)
      const minute = Math.floor(cluster.api.nowMs / minuteMs)
      const made = cluster.api.log(jobType).map(({ key }) => key)
      expect(made).toContain(`default/cj-${minute}`)
      expect(current(cluster).status.lastScheduleTime).toBe(timestamp(minute * minuteMs))
      cluster.api.patch(cronJobType, 'default/cj', { spec: { schedule: '0 0 1 1 *' } })
      for (const job of jobs(cluster)) if (!isJobFinished(job)) end(cluster, job)
    },
    goal: (cluster) => {
      for (const job of jobs(cluster)) if (!isJobFinished(job)) end(cluster, job)
      pass(cluster, 0)
      const { status } = current(cluster)
      expect(status.active).toBeUndefined()
      const complete = jobs(cluster).filter(
        (job) => job.status.conditions?.[0]?.type === 'Complete',
      )
      expect(complete.length).toBeLessThanOrEqual(3)
      const created = cluster.api
        .log(jobType)
        .filter(({ object }) => object !== undefined)
        .map(({ key, object }) => `${key} ${object?.metadata.uid ?? ''}`)
      // A name comes again only when somebody deleted the one before.
      expect(
        new Set(created).size - new Set(created.map((text) => text.split(' ')[0])).size,
      ).toBeLessThanOrEqual(
        cluster.api.log(jobType).filter(({ object }) => object === undefined).length,
      )
    },
    runs: 100,
  })
})
