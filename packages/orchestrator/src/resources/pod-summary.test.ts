// The STATUS, READY and RESTARTS columns, case by case, as `kubectl get pods` shows them.
import { expect, test } from 'vitest'
import { podType } from './index.ts'
import type { Json } from './object.ts'
import { decodeObject } from './schema/decode-object.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const running = { state: { running: {} }, ready: true }
const waiting = (reason: string): object => ({ state: { waiting: { reason } } })
const ended = (terminated: object): object => ({ state: { terminated } })
const isReady = [{ type: 'Ready', status: 'True' }]

/** `READY STATUS RESTARTS` of a pod with these containers. */
const line = (pod: {
  phase?: string
  reason?: string
  conditions?: Json
  containers?: object[]
  init?: object[]
  sidecar?: boolean
  deleted?: boolean
}): string => {
  const { containers = [], init = [], deleted, sidecar, ...status } = pod
  const named = (list: object[], prefix: string): object[] =>
    list.map((one, index) => ({ name: `${prefix}${index}`, ...one }))
  const decoded = decodeObject(podType, {
    metadata: {
      name: 'p',
      ...(deleted === true ? { deletionTimestamp: '2026-11-21T11:00:00Z' } : {}),
    },
    spec: {
      containers: named(containers.length === 0 ? [{}] : containers, 'c').map((one) => ({
        name: (one as { name: string }).name,
      })),
      initContainers: init.map((_, index) => ({
        name: `i${index}`,
        ...(sidecar === true ? { restartPolicy: 'Always' } : {}),
      })),
    },
    status: {
      ...status,
      containerStatuses: named(containers, 'c'),
      initContainerStatuses: named(init, 'i'),
    },
  } as unknown as Json)
  if (!decoded.ok) throw new Error(decoded.message)
  return podType.cells(decoded.object, now).slice(1, 4).join(' ')
}

test.each<[Parameters<typeof line>[0], string]>([
  [{ phase: 'Pending' }, '0/1 Pending 0'],
  [
    {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    },
    '0/1 SchedulingGated 0',
  ],
  [{ phase: 'Pending', containers: [waiting('ContainerCreating')] }, '0/1 ContainerCreating 0'],
  [{ phase: 'Running', containers: [running] }, '1/1 Running 0'],
  [{ phase: 'Running', containers: [{ ...running, ready: false }] }, '0/1 Running 0'],
  [
    { phase: 'Running', containers: [running, waiting('CrashLoopBackOff')] },
    '1/2 CrashLoopBackOff 0',
  ],
  [{ phase: 'Failed', containers: [ended({ exitCode: 1, reason: 'Error' })] }, '0/1 Error 0'],
  [{ phase: 'Failed', containers: [ended({ exitCode: 3 })] }, '0/1 ExitCode:3 0'],
  [{ phase: 'Failed', containers: [ended({ exitCode: 137, signal: 9 })] }, '0/1 Signal:9 0'],
  [
    { phase: 'Succeeded', containers: [ended({ exitCode: 0, reason: 'Completed' })] },
    '0/1 Completed 0',
  ],
  [
    {
      phase: 'Running',
      conditions: isReady,
      containers: [ended({ exitCode: 0, reason: 'Completed' }), running],
    },
    '1/2 Running 0',
  ],
  [
    { phase: 'Running', containers: [ended({ exitCode: 0, reason: 'Completed' }), running] },
    '1/2 NotReady 0',
  ],
  [{ phase: 'Failed', reason: 'Evicted' }, '0/1 Evicted 0'],
  [{ phase: 'Running', containers: [running], deleted: true }, '1/1 Terminating 0'],
  [{ phase: 'Running', reason: 'NodeLost', containers: [running], deleted: true }, '1/1 Unknown 0'],
  [
    {
      phase: 'Succeeded',
      containers: [ended({ exitCode: 0, reason: 'Completed' })],
      deleted: true,
    },
    '0/1 Completed 0',
  ],
  [{ phase: 'Pending', init: [waiting('PodInitializing'), {}] }, '0/1 Init:0/2 0'],
  [
    { phase: 'Pending', init: [ended({ exitCode: 0 }), { state: { running: {} } }] },
    '0/1 Init:1/2 0',
  ],
  [{ phase: 'Pending', init: [waiting('CrashLoopBackOff')] }, '0/1 Init:CrashLoopBackOff 0'],
  [{ phase: 'Failed', init: [ended({ exitCode: 2 })] }, '0/1 Init:ExitCode:2 0'],
  [{ phase: 'Failed', init: [ended({ exitCode: 2, signal: 15 })] }, '0/1 Init:Signal:15 0'],
  [{ phase: 'Failed', init: [ended({ exitCode: 2, reason: 'Error' })] }, '0/1 Init:Error 0'],
  [
    {
      phase: 'Running',
      init: [{ ...running, started: true, restartCount: 2 }],
      sidecar: true,
      containers: [running],
    },
    '2/2 Running 2',
  ],
  [
    { phase: 'Pending', init: [{ ...running, restartCount: 2 }, { restartCount: 5 }] },
    '0/1 Init:0/2 2',
  ],
  [
    {
      phase: 'Running',
      conditions: [{ type: 'Initialized', status: 'True' }],
      init: [{ ...running, restartCount: 2 }],
      containers: [waiting('CrashLoopBackOff')],
    },
    '0/1 CrashLoopBackOff 0',
  ],
  [
    {
      phase: 'Running',
      containers: [
        {
          ...running,
          restartCount: 3,
          lastState: { terminated: { exitCode: 1, finishedAt: '2026-11-21T11:58:00Z' } },
        },
        {
          ...running,
          restartCount: 1,
          lastState: { terminated: { exitCode: 1, finishedAt: '2026-11-21T10:00:00Z' } },
        },
      ],
    },
    '2/2 Running 4 (2m ago)',
  ],
])('%j', (pod, text) => {
  expect(line(pod)).toBe(text)
})
