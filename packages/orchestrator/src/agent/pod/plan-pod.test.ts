import { expect, test } from 'vitest'
import { podOf } from '../../controllers/testing/objects.ts'
import type { Container, PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import { endedRecord, newRecord, startedRecord, type ContainerRecord } from './container-record.ts'
import { planPod, type ContainerView } from './plan-pod.ts'
import { podStatus, type PodStatusInput } from './pod-status.ts'

const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'i',
  resources: {},
  ...more,
})
const spec = (more: Partial<PodSpec> = {}): PodSpec => ({
  containers: [container('a'), container('b')],
  ...more,
})
const running: ContainerRecord = startedRecord(newRecord, 'id', 1000)
const ended = (exitCode: number, record: ContainerRecord = running): ContainerRecord =>
  endedRecord(record, { exitCode, finishedAtMs: 2000 })
const crashed = ended(1, startedRecord(ended(1), 'id', 1500))
const views = (records: Record<string, ContainerRecord>): Map<string, ContainerView> =>
  new Map(
    Object.entries(records).map(([name, record]) => [
      name,
      { record, isStarted: record.state === 'running', isReady: record.state === 'running' },
    ]),
  )
const plan = (
  of: PodSpec,
  records: Record<string, ContainerRecord>,
  nowMs = 3000,
): ReturnType<typeof planPod> => planPod(of, views(records), nowMs)
const status = (
  of: PodSpec,
  records: Record<string, ContainerRecord>,
  more: Partial<PodStatusInput> = {},
): ReturnType<typeof podStatus> =>
  podStatus({
    pod: podOf('p', { spec: of, status: {} }),
    views: views(records),
    waiting: new Map(),
    isPrepared: true,
    nowMs: 3000,
    startedAtMs: 1000,
    podIp: '127.64.0.1',
    hostIp: '10.0.0.1',
    ...more,
  })

test('all containers start together when there are no init containers', () => {
  expect(plan(spec(), {})).toEqual({ start: ['a', 'b'], stop: [], wakeAtMs: undefined })
})

test('init containers start one by one, and a sidecar does not hold up the next', () => {
  const of = spec({
    initContainers: [container('i'), container('s', { restartPolicy: 'Always' }), container('j')],
  })
  expect(plan(of, {}).start).toEqual(['i'])
  expect(plan(of, { i: running }).start).toEqual([])
  expect(plan(of, { i: ended(0) }).start).toEqual(['s'])
  expect(plan(of, { i: ended(0), s: running }).start).toEqual(['j'])
  expect(plan(of, { i: ended(0), s: running, j: ended(0) }).start).toEqual(['a', 'b'])
})

test('a sidecar that ended is restarted, and all sidecars are stopped after the others finished', () => {
  const of = spec({
    restartPolicy: 'Never',
    initContainers: [container('s', { restartPolicy: 'Always' })],
  })
  expect(plan(of, { s: ended(0), a: running, b: running }).start).toEqual(['s'])
  expect(plan(of, { s: running, a: ended(0), b: ended(1) }).stop).toEqual(['s'])
})

test('the restart policy decides which ended containers run again', () => {
  const restarted = (restartPolicy: string): readonly string[] =>
    plan(spec({ restartPolicy }), { a: ended(0), b: ended(1) }).start
  expect([restarted('Always'), restarted('OnFailure'), restarted('Never')]).toEqual([
    ['a', 'b'],
    ['b'],
    [],
  ])
})

test('a container that keeps failing waits, and the plan says until when', () => {
  expect(plan(spec(), { a: running, b: crashed })).toEqual({
    start: [],
    stop: [],
    wakeAtMs: 12_000,
  })
  expect(plan(spec(), { a: running, b: crashed }, 12_000).start).toEqual(['b'])
})

test('the phase follows the containers', () => {
  const phase = (
    restartPolicy: string,
    records: Record<string, ContainerRecord>,
  ): string | undefined => status(spec({ restartPolicy }), records).phase
  expect(phase('Always', {})).toBe('Pending')
  expect(phase('Always', { a: running })).toBe('Pending')
  expect(phase('Always', { a: running, b: crashed })).toBe('Running')
  expect(phase('Always', { a: crashed, b: crashed })).toBe('Running')
  expect(phase('Never', { a: running, b: ended(1) })).toBe('Running')
  expect(phase('Never', { a: ended(0), b: ended(0) })).toBe('Succeeded')
  expect(phase('OnFailure', { a: ended(0), b: ended(1) })).toBe('Running')
  expect(phase('Never', { a: ended(0), b: ended(1) })).toBe('Failed')
})

test('a failed init container fails the pod only with restartPolicy Never', () => {
  const of = (restartPolicy: string): PodSpec =>
    spec({ restartPolicy, initContainers: [container('i')] })
  expect(status(of('Never'), { i: ended(1) }).phase).toBe('Failed')
  expect(status(of('Always'), { i: ended(1) }).phase).toBe('Pending')
})

test('conditions tell what is not ready, and keep their time while they do not change', () => {
  const before = status(spec(), { a: running, b: crashed })
  expect(before.conditions).toContainEqual({
    type: 'Ready',
    status: 'False',
    reason: 'ContainersNotReady',
    message: 'containers with unready status: [b]',
    lastProbeTime: null,
    lastTransitionTime: '1970-01-01T00:00:03Z',
  })
  const pod = podOf('p', { spec: spec(), status: before })
  const after = status(spec(), { a: running, b: crashed }, { pod, nowMs: 9000 })
  expect(after.conditions).toEqual(before.conditions)
})

test('conditions of others are kept, and readiness gates hold the pod back', () => {
  const of = spec({ readinessGates: [{ conditionType: 'x/gate' }] })
  const ready = { a: running, b: running }
  const verdict = (gate: 'True' | 'False'): string | undefined => {
    const pod = podOf('p', { spec: of, status: { conditions: [{ type: 'x/gate', status: gate }] } })
    const { conditions } = status(of, ready, { pod })
    expect(conditions?.some(({ type }) => type === 'x/gate')).toBe(true)
    return conditions?.find(({ type }) => type === 'Ready')?.status
  }
  expect([verdict('True'), verdict('False')]).toEqual(['True', 'False'])
})

test('a waiting container says why', () => {
  const waiting = new Map([
    ['a', { reason: 'CreateContainerConfigError', message: 'configmap "x" not found' }],
  ])
  expect(
    status(spec(), {}, { waiting }).containerStatuses?.map(({ state }) => state.waiting),
  ).toEqual([
    { reason: 'CreateContainerConfigError', message: 'configmap "x" not found' },
    { reason: 'ContainerCreating' },
  ])
})

test('a container that runs says what it runs with', () => {
  const resources = { requests: { cpu: '10m' }, limits: { cpu: '20m' } }
  const of = spec({ containers: [container('a', { resources }), container('b')] })
  const [a, b] = status(of, { a: running, b: ended(0) }).containerStatuses ?? []
  expect(a).toMatchObject({ resources, allocatedResources: { cpu: '10m' } })
  expect(b).not.toHaveProperty('resources')
})
