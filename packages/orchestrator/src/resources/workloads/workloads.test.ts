// What the kinds of workloads fill in, show and refuse.
import { describe, expect, test } from 'vitest'
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { decodeObject } from '../schema/decode-object.ts'
import { cronJobType } from './cron-job.ts'
import { daemonSetType } from './daemon-set.ts'
import { horizontalPodAutoscalerType } from './horizontal-pod-autoscaler.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { jobType } from './job.ts'
import { podDisruptionBudgetType } from './pod-disruption-budget.ts'
import { replicationControllerType } from './replication-controller.ts'
import { statefulSetType } from './stateful-set.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const containers = [{ name: 'c', image: 'i:1' }]
const labels = { app: 'a' }
const template = { metadata: { labels }, spec: { containers } }
const ending = { ...template, spec: { containers, restartPolicy: 'Never' } }
const selector = { matchLabels: labels }

const created = <T extends KubeObject>(type: ResourceType<T>, spec: Json, status?: Json): T => {
  const result = decodeObject(type, {
    metadata: { name: 'x', namespace: 'default', uid: 'u' },
    spec,
    ...(status === undefined ? {} : { status }),
  })
  if (!result.ok) throw new Error(result.message)
  const defaulted = type.defaults(result.object)
  return status === undefined ? (type.prepareForCreate?.(defaulted) ?? defaulted) : defaulted
}
const problems = <T extends KubeObject>(type: ResourceType<T>, spec: Json): string[] =>
  type.validate(created(type, spec)).map(({ field, message }) => `${field}: ${message}`)
const changed = <T extends KubeObject>(type: ResourceType<T>, old: Json, spec: Json): string[] =>
  (type.validateUpdate?.(created(type, spec), created(type, old)) ?? []).map(
    ({ field, message }) => `${field}: ${message.replace(/^Invalid value: .*: /, '')}`,
  )
const shown = <T extends KubeObject>(type: ResourceType<T>, spec: Json, status: Json): Json => {
  const cells = type.cells(created(type, spec, status), now)
  return Object.fromEntries(type.columns.map(({ name }, index) => [name, cells[index] ?? null]))
}

describe('defaults', () => {
  test('a replication controller selects the labels of its template', () => {
    expect(created(replicationControllerType, { template })).toMatchObject({
      metadata: { labels },
      spec: { replicas: 1, selector: labels },
    })
  })

  test('a stateful set is ordered, rolls everything and keeps its claims', () => {
    const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }
    const spec = { selector, template, serviceName: 's', volumeClaimTemplates: [claim] }
    expect(created(statefulSetType, spec).spec).toMatchObject({
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          spec: { volumeMode: 'Filesystem' },
          status: { phase: 'Pending' },
        },
      ],
    })
  })

  test('a daemon set replaces one pod at a time and counts its templates', () => {
    const object = created(daemonSetType, { selector, template })
    const generation = (of: KubeObject): string | undefined =>
      of.metadata.annotations?.['deprecated.daemonset.template.generation']
    expect(object.spec.updateStrategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    })
    const spec = { ...object.spec, template: { spec: { containers: [] } } }
    const next = daemonSetType.prepareForUpdate?.({ ...object, spec }, object)
    expect([generation(object), generation(next ?? object)]).toEqual(['1', '2'])
  })

  test('a job runs once, and its pods are marked as its own', () => {
    expect(created(jobType, { template: ending }).spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
      template: {
        metadata: {
          labels: {
            'batch.kubernetes.io/controller-uid': 'u',
            'batch.kubernetes.io/job-name': 'x',
            'controller-uid': 'u',
            'job-name': 'x',
          },
        },
      },
    })
    const queue = created(jobType, { template: ending, parallelism: 3 }).spec
    expect([queue.completions, queue.parallelism]).toEqual([undefined, 3])
  })

  test('a cron job, a disruption budget and an autoscaler', () => {
    const jobTemplate = { spec: { template: ending } }
    expect(created(cronJobType, { schedule: '* * * * *', jobTemplate }).spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    })
    expect(created(podDisruptionBudgetType, { selector }).status.disruptionsAllowed).toBe(0)
    const scaleTargetRef = { kind: 'Deployment', name: 'd' }
    const behavior = { scaleDown: { stabilizationWindowSeconds: 5 } }
    expect(
      created(horizontalPodAutoscalerType, { scaleTargetRef, maxReplicas: 3, behavior }).spec,
    ).toMatchObject({
      minReplicas: 1,
      metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 80 } } }],
      behavior: {
        scaleUp: { selectPolicy: 'Max', stabilizationWindowSeconds: 0 },
        scaleDown: { selectPolicy: 'Max', stabilizationWindowSeconds: 5 },
      },
    })
  })
})

test('tables show what upstream shows', () => {
  const startTime = '2026-11-21T11:58:00Z'
  const completionTime = '2026-11-21T11:58:30Z'
  const conditions = [{ type: 'Complete', status: 'True' }]
  expect(
    shown(
      jobType,
      { template: ending, completions: 3 },
      { succeeded: 3, startTime, completionTime, conditions },
    ),
  ).toMatchObject({ Status: 'Complete', Completions: '3/3', Duration: '30s' })
  expect(shown(jobType, { template: ending, parallelism: 2 }, { startTime })).toMatchObject({
    Status: 'Running',
    Completions: '0/1 of 2',
    Duration: '2m',
  })
  expect(
    shown(statefulSetType, { selector, template, replicas: 3 }, { replicas: 2, readyReplicas: 1 }),
  ).toMatchObject({ Ready: '1/3', Containers: 'c', Images: 'i:1' })
  const nodeSelector = { ...template, spec: { containers, nodeSelector: { disk: 'ssd' } } }
  expect(
    shown(daemonSetType, { selector, template: nodeSelector }, { desiredNumberScheduled: 2 }),
  ).toMatchObject({ Desired: 2, Current: 0, 'Up-to-date': 0, 'Node Selector': 'disk=ssd' })
  expect(
    shown(
      cronJobType,
      { schedule: '@daily', jobTemplate: { spec: { template: ending } } },
      { lastScheduleTime: '2026-11-21T11:00:00Z', active: [{ name: 'j' }] },
    ),
  ).toMatchObject({ Timezone: '<none>', Suspend: 'False', Active: 1, 'Last Schedule': '60m' })
  expect(shown(podDisruptionBudgetType, { minAvailable: '50%' }, {})).toMatchObject({
    'Min Available': '50%',
    'Max Unavailable': 'N/A',
  })
  expect(
    shown(
      horizontalPodAutoscalerType,
      { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3 },
      {
        currentReplicas: 2,
        currentMetrics: [
          { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 7 } } },
        ],
      },
    ),
  ).toMatchObject({ Reference: 'Deployment/d', Targets: 'cpu: 7%/80%', MinPods: '1', Replicas: 2 })
})

describe('validation', () => {
  test.each<[string, ResourceType, Json, string[]]>([
    [
      'a controller needs a template',
      replicationControllerType as ResourceType,
      {},
      ['spec.selector: Required value', 'spec.template: Required value'],
    ],
    [
      'a job never starts again',
      jobType as ResourceType,
      { template },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'an indexed job has an end',
      jobType as ResourceType,
      { template: ending, parallelism: 1, completionMode: 'Indexed' },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'a rule of a failure policy asks for something',
      jobType as ResourceType,
      { template: ending, podFailurePolicy: { rules: [{ action: 'Ignore' }] } },
      [
        'spec.podFailurePolicy.rules[0]: Invalid value: {"action":"Ignore"}: specifying one of OnExitCodes and OnPodConditions is required',
      ],
    ],
    [
      'a schedule has five fields',
      cronJobType as ResourceType,
      { schedule: '* * * *', jobTemplate: { spec: { template: ending } } },
      ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
    ],
    [
      'a time zone has a name',
      cronJobType as ResourceType,
      { schedule: '@daily', timeZone: 'Mars/Base', jobTemplate: { spec: { template: ending } } },
      ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'],
    ],
    [
      'a budget says one thing',
      podDisruptionBudgetType as ResourceType,
      { minAvailable: 1, maxUnavailable: 1 },
      [
        'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [
      'an autoscaler has room',
      horizontalPodAutoscalerType as ResourceType,
      { scaleTargetRef: { kind: 'D', name: 'd' }, minReplicas: 3, maxReplicas: 2 },
      ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
    ],
    [
      'a daemon set that rolls does something',
      daemonSetType as ResourceType,
      { selector, template, updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
      [
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
      ],
    ],
    [
      'a stateful set has a known policy',
      statefulSetType as ResourceType,
      { selector, template, podManagementPolicy: 'Random' },
      [`spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`],
    ],
  ])('%s', (_name, type, spec, expected) => {
    expect(problems(type, spec)).toEqual(expected)
  })

  test('what pods that exist rely on never changes', () => {
    expect(
      changed(statefulSetType, { selector, template }, { selector, template, serviceName: 's' }),
    ).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ])
    expect(changed(jobType, { template: ending }, { template: ending, completions: 2 })).toEqual([
      'spec.completions: field is immutable',
    ])
    const indexed = (size: number): Json => ({
      template: ending,
      completionMode: 'Indexed',
      completions: size,
      parallelism: size,
    })
    expect(changed(jobType, indexed(2), indexed(3))).toEqual([])
    const other = { ...ending, spec: { ...ending.spec, nodeSelector: { a: 'b' } } }
    expect(changed(jobType, { template: ending }, { template: other })).toEqual([
      'spec.template: field is immutable',
    ])
    expect(
      changed(jobType, { template: ending, suspend: true }, { template: other, suspend: true }),
    ).toEqual([])
  })
})

test('sets of indexes are texts of ranges', () => {
  expect(formatIndexes([5, 0, 2, 1, 8, 7])).toBe('0-2,5,7,8')
  expect([...(parseIndexes('0-2,5', 6) ?? [])]).toEqual([0, 1, 2, 5])
  expect(['5-3', '3,1', '0-9', 'x'].map((text) => parseIndexes(text, 9))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
