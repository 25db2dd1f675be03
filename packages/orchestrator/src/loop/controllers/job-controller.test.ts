import { describe, expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { isActive } from '../../controllers/pod-state.ts'
import { isTracked } from '../../controllers/job/job-pods.ts'
import type { Stored } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import { podType, type Pod, type PodStatus } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { isJobFinished, jobType, type Job, type JobSpec } from '../../resources/workloads/job.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster, type PodEnd } from '../testing/simulated-cluster.ts'
import { jobController, ttlAfterFinishedController } from './job-controller.ts'

const podSpec = (restartPolicy = 'Never'): PodSpec => ({
  containers: [{ name: 'c', image: 'i', resources: {} }],
  restartPolicy,
})
const jobOf = (spec: Partial<JobSpec>): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'default' },
  spec: { template: { spec: podSpec() }, ...spec },
  status: {},
})
const ended = (exitCode: number): PodStatus => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  containerStatuses: [
    {
      name: 'c',
      state: { terminated: { exitCode } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: 'i',
      imageID: '',
    },
  ],
})
const succeed: PodEnd = () => ended(0)
const started = (spec: Partial<JobSpec>, podEnd: PodEnd = succeed): SimulatedCluster => {
  const controllers = [jobController, ttlAfterFinishedController]
  const cluster = new SimulatedCluster({ controllers, random: randomOf(3), podEnd })
  cluster.put(jobType, jobOf(spec))
  return cluster
}
const current = (cluster: SimulatedCluster): Stored<Job> => {
  const job = cluster.api.get<Job>(jobType, 'default/j')
  if (job === undefined) throw new Error('no job')
  return job
}
const change = (cluster: SimulatedCluster, spec: Partial<JobSpec>): void => {
  const job = current(cluster)
  cluster.api.update(jobType, { ...job, spec: { ...job.spec, ...spec } } as Job)
}
const conditions = (cluster: SimulatedCluster): [string, string | undefined][] =>
  (current(cluster).status.conditions ?? [])
    .filter(({ status }) => status === 'True')
    .map(({ type, reason }) => [type, reason])
const pods = (cluster: SimulatedCluster): Stored<Pod>[] => cluster.api.all<Pod>(podType)
const index = (pod: Stored<Pod>): number =>
  Number(pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'])

test('a pod that lost its owner is taken up again, one that lost its labels is let go, without a finalizer', () => {
  const cluster = new SimulatedCluster({ controllers: [jobController], random: randomOf(3) })
  cluster.put(jobType, jobOf({ completions: 1, parallelism: 1 }))
  cluster.settle()
  const [pod] = pods(cluster)
  if (pod === undefined) throw new Error('no pod')
  const { ownerReferences } = pod.metadata
  expect(ownerReferences).toHaveLength(1)
  cluster.api.update(podType, { ...pod, metadata: { ...pod.metadata, ownerReferences: [] } })
  cluster.settle()
  const [taken] = pods(cluster)
  expect([taken?.metadata.uid, taken?.metadata.ownerReferences]).toEqual([
    pod.metadata.uid,
    ownerReferences,
  ])
  if (taken === undefined) throw new Error('no pod')
  cluster.api.update(podType, { ...taken, metadata: { ...taken.metadata, labels: {} } })
  cluster.settle()
  const released = pods(cluster).find(({ metadata }) => metadata.uid === pod.metadata.uid)
  expect(released?.metadata).toMatchObject({ ownerReferences: [], finalizers: [] })
  expect(pods(cluster)).toHaveLength(2)
})

describe('completion', () => {
  test('pods run side by side until enough have succeeded', () => {
    const cluster = started({ completions: 5, parallelism: 2 })
    cluster.settle(() => {
      const active = pods(cluster).filter(({ status }) => status.phase !== 'Succeeded')
      expect(active.length).toBeLessThanOrEqual(2)
    })
    expect(current(cluster).status).toMatchObject({
      succeeded: 5,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
    })
    expect(conditions(cluster)).toEqual([
      ['SuccessCriteriaMet', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
    ])
    expect(pods(cluster).filter(isTracked)).toEqual([])
    expect(cluster.api.events.at(-1)).toMatchObject({ reason: 'Completed' })
  })

  test('a work queue is done with the first success, when the others have ended', () => {
    const cluster = started({ parallelism: 3 })
    cluster.settle()
    expect(current(cluster).status.succeeded).toBe(3)
    expect(conditions(cluster)).toContainEqual(['Complete', 'CompletionsReached'])
  })

  test('each index runs once, and knows it', () => {
    const cluster = started({ completions: 4, parallelism: 4, completionMode: 'Indexed' })
    cluster.settle()
    expect(
      pods(cluster)
        .map(index)
        .toSorted((left, right) => left - right),
    ).toEqual([0, 1, 2, 3])
    expect(current(cluster).status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' })
    const [pod] = pods(cluster)
    expect(pod).toMatchObject({
      metadata: { generateName: 'j-0-', labels: { 'job-name': 'j' } },
      spec: { hostname: 'j-0', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX' }] }] },
    })
  })

  test('a success policy is enough', () => {
    const cluster = started(
      {
        completions: 3,
        parallelism: 3,
        completionMode: 'Indexed',
        successPolicy: { rules: [{ succeededIndexes: '1' }] },
        backoffLimit: 100,
      },
      (pod) => (index(pod) === 1 ? ended(0) : undefined),
    )
    for (let turn = 0; turn < 500 && !isJobFinished(current(cluster)); turn++) {
      cluster.deliverAll()
      cluster.reconcileSome(Number.POSITIVE_INFINITY, false)
      cluster.turn(false)
    }
    expect(conditions(cluster)).toEqual([
      ['SuccessCriteriaMet', 'SuccessPolicy'],
      ['Complete', 'SuccessPolicy'],
    ])
    expect(current(cluster).status.completedIndexes).toBe('1')
  })
})

describe('failure', () => {
  const fail: PodEnd = () => ended(7)

  test('after the limit of retries, each later than the one before', () => {
    const cluster = started({ backoffLimit: 2 }, fail)
    const before = cluster.api.nowMs
    cluster.settle()
    expect(conditions(cluster)).toEqual([
      ['FailureTarget', 'BackoffLimitExceeded'],
      ['Failed', 'BackoffLimitExceeded'],
    ])
    expect(current(cluster).status.failed).toBe(3)
    expect(cluster.api.nowMs - before).toBeGreaterThan(30_000)
  })

  test('when it takes too long', () => {
    const cluster = started({ activeDeadlineSeconds: 60 }, () => undefined)
    for (let turn = 0; turn < 50; turn++) {
      cluster.deliverAll()
      cluster.reconcileSome(Number.POSITIVE_INFINITY, false)
      cluster.turn(false)
    }
    expect(pods(cluster)).toHaveLength(1)
    cluster.api.nowMs += 60_000
    for (let turn = 0; turn < 50; turn++) {
      cluster.deliverAll()
      cluster.reconcileSome(Number.POSITIVE_INFINITY, false)
      cluster.turn(false)
    }
    expect(conditions(cluster)).toContainEqual(['Failed', 'DeadlineExceeded'])
    expect(pods(cluster)).toEqual([])
  })

  test('by the policy: at once, or not at all', () => {
    const policy = (action: string): Partial<JobSpec> => ({
      backoffLimit: 0,
      podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values: [7] } }] },
    })
    const failed = started({ ...policy('FailJob'), completions: 2, parallelism: 1 }, fail)
    failed.settle()
    expect(current(failed).status.conditions?.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'PodFailurePolicy',
      message: expect.stringMatching(
        /^Container c for pod default\/j-\d+ failed with exit code 7 matching FailJob rule at index 0$/,
      ) as string,
    })
    const tries: string[] = []
    const ignored = started(policy('Ignore'), (pod) => {
      if (!tries.includes(pod.metadata.uid)) tries.push(pod.metadata.uid)
      return ended(tries.length < 3 ? 7 : 0)
    })
    ignored.settle()
    expect(conditions(ignored)).toContainEqual(['Complete', 'CompletionsReached'])
    expect(current(ignored).status.failed ?? 0).toBe(0)
  })

  test('of an index does not end the others', () => {
    const cluster = started(
      { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 1 },
      (pod) => ended(index(pod) === 1 ? 7 : 0),
    )
    cluster.settle()
    expect(current(cluster).status).toMatchObject({
      completedIndexes: '0,2',
      failedIndexes: '1',
      succeeded: 2,
      failed: 2,
    })
    expect(conditions(cluster)).toContainEqual(['Failed', 'FailedIndexes'])
  })
})

test('a suspended job has no pods, and begins anew when it is resumed', () => {
  const cluster = started({ suspend: true })
  cluster.settle()
  expect([pods(cluster), current(cluster).status.startTime]).toEqual([[], undefined])
  expect(conditions(cluster)).toEqual([['Suspended', 'JobSuspended']])
  change(cluster, { suspend: false })
  cluster.settle()
  expect(current(cluster).status.conditions?.[0]).toMatchObject({
    type: 'Suspended',
    status: 'False',
    reason: 'JobResumed',
  })
  expect(current(cluster).status.succeeded).toBe(1)
})

test('a finished job goes after its time, and its pods are not held', () => {
  const cluster = started({ ttlSecondsAfterFinished: 100 })
  cluster.settle()
  expect(cluster.api.all(jobType)).toEqual([])
  expect(pods(cluster)).toEqual([])
})

test('every pod is counted once and the completions are reached, whatever happens', () => {
  let isSuspended = false
  let seen = { Succeeded: new Set<string>(), ended: new Set<string>() }
  checkControllers({
    controllers: [jobController],
    // Those of a suspended job would run for ever, were they not deleted.
    podEnd: (_pod, random) =>
      !isSuspended && random() < 0.5 ? ended(random() < 0.7 ? 0 : 1) : undefined,
    setup: (cluster) => {
      isSuspended = false
      const now = { Succeeded: new Set<string>(), ended: new Set<string>() }
      seen = now
      cluster.api.onWrite = ({ kind, metadata, ...object }) => {
        if (kind !== 'Pod') return
        const { phase } = (object as Partial<Pod>).status ?? {}
        if (phase === 'Succeeded') now.Succeeded.add(metadata.uid)
        // A pod that was deleted before it ran counts as a failure without having failed.
        else if (phase === 'Failed' || metadata.deletionTimestamp !== undefined)
          now.ended.add(metadata.uid)
      }
      const isByIndex = cluster.random() < 0.5
      const mode: Partial<JobSpec> = isByIndex ? { completionMode: 'Indexed' } : {}
      cluster.put(jobType, jobOf({ completions: 4, parallelism: 2, backoffLimit: 1000, ...mode }))
    },
    deeds: [
      (cluster, choice) => change(cluster, { parallelism: 1 + (choice % 4) }),
      (cluster, choice) => change(cluster, { suspend: choice % 2 === 0 }),
      (cluster, choice) => {
        const all = pods(cluster)
        const pod = all[choice % all.length]
        if (pod !== undefined) cluster.api.delete(podType, objectKey(pod), pod.metadata.uid)
      },
    ],
    always: (cluster) => {
      const { status } = current(cluster)
      expect(status.succeeded ?? 0).toBeLessThanOrEqual(seen.Succeeded.size)
      expect(status.failed ?? 0).toBeLessThanOrEqual(seen.ended.size)
    },
    calm: (cluster) => {
      const isFinished = isJobFinished(current(cluster))
      isSuspended = !isFinished && cluster.random() < 0.2
      if (!isFinished) change(cluster, { suspend: isSuspended })
    },
    goal: (cluster) => {
      const { status } = current(cluster)
      if (isSuspended) {
        expect(pods(cluster).filter(isActive)).toEqual([])
        expect(conditions(cluster)).toContainEqual(['Suspended', 'JobSuspended'])
        return
      }
      expect(conditions(cluster)).toContainEqual(['Complete', 'CompletionsReached'])
      expect(status.succeeded).toBeGreaterThanOrEqual(4)
      expect(status.active ?? 0).toBe(0)
      expect(status.uncountedTerminatedPods).toEqual({})
      expect(pods(cluster).filter(isTracked)).toEqual([])
      if (current(cluster).spec.completionMode === 'Indexed')
        expect(status.completedIndexes).toBe('0-3')
      else expect(status.succeeded).toBe(seen.Succeeded.size)
    },
    runs: 80,
  })
})

test('finished jobs go when their time has come and not before, and no others, whatever happens', () => {
  let names = 0
  /** By uid: when it may go; Infinity: never. */
  let due = new Map<string, number>()
  const put = (cluster: SimulatedCluster, choice: number): void => {
    const { spec, ...job } = jobOf(choice % 3 === 0 ? {} : { ttlSecondsAfterFinished: choice % 90 })
    const metadata = { name: `j-${++names}`, namespace: 'default' }
    const { uid } = cluster.put<Job>(jobType, { ...job, metadata, spec }).metadata
    due.set(uid, Number.POSITIVE_INFINITY)
  }
  checkControllers({
    controllers: [ttlAfterFinishedController],
    setup: (cluster) => {
      due = new Map()
      put(cluster, 5)
    },
    deeds: [
      put,
      (cluster, choice) => {
        const open = cluster.api.all<Job>(jobType).filter((job) => !isJobFinished(job))
        const job = open[choice % open.length]
        if (job === undefined) return
        const type = choice % 2 === 0 ? 'Complete' : 'Failed'
        const lastTransitionTime = timestamp(cluster.api.nowMs)
        const status = { conditions: [{ type, status: 'True', lastTransitionTime }] }
        cluster.api.update(jobType, { ...job, status } as Job, 'status')
        const { ttlSecondsAfterFinished: ttl = Number.POSITIVE_INFINITY } = job.spec
        due.set(job.metadata.uid, Date.parse(lastTransitionTime) + ttl * 1000)
      },
    ],
    always: (cluster) => {
      const there = new Set(cluster.api.all(jobType).map(({ metadata }) => metadata.uid))
      for (const [uid, dueMs] of due)
        if (dueMs > cluster.api.nowMs) expect(there.has(uid)).toBe(true)
    },
    goal: (cluster) => {
      const left = cluster.api.all(jobType).map(({ metadata }) => metadata.uid)
      expect(left).toEqual([...due].filter(([, dueMs]) => dueMs === Infinity).map(([uid]) => uid))
    },
    runs: 60,
  })
})
