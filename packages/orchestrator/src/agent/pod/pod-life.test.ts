// What users see of pods while they live and when they end.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { podType } from '../../resources/pod.ts'
import { AgentFixture, sh, until } from '../testing/agent-fixture.ts'

const agent = new AgentFixture()
beforeAll(() => agent.start())
afterAll(() => agent.close())

const limits = { memory: '128Mi' }
const grow = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(8e6, 1)), 20)'

test.skipIf(process.platform !== 'linux')(
  'a container that uses more memory than its limit is ended as OOMKilled, one below it is not',
  async () => {
    const command = [process.execPath, '-e', grow]
    await agent.create('modest', [sh('exec sleep 60', { resources: { limits } })])
    await agent.create('greedy', [sh('', { command, resources: { limits } })], {
      restartPolicy: 'Never',
    })
    await until(() =>
      expect(agent.status('greedy')?.state.terminated).toMatchObject({
        exitCode: 137,
        reason: 'OOMKilled',
      }),
    )
    expect(agent.pod('greedy')?.status.phase).toBe('Failed')
    expect(agent.status('modest')).toMatchObject({ restartCount: 0, ready: true })
  },
)

const forever = 'trap "exit 0" TERM; touch up; while :; do sleep 0.05; done'
const stubborn = 'trap "" TERM; touch up; while :; do sleep 0.05; done'

test('an image that is no program of this machine is not pulled, and tried again later', async () => {
  const image = 'no-such-image:1'
  await agent.create('missing', [{ name: 'c', image, resources: {} }])
  await agent.create('never', [{ name: 'c', image, imagePullPolicy: 'Never', resources: {} }])
  await until(() =>
    expect(agent.status('missing')?.state.waiting).toEqual({
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "no-such-image:1"',
    }),
  )
  await until(() => expect(agent.events('missing')).toContain('Failed: Error: ImagePullBackOff'))
  expect(agent.events('missing')).toContain('Failed: Error: ErrImagePull')
  expect(agent.pod('missing')?.status.phase).toBe('Pending')
  await until(() =>
    expect(agent.status('never')?.state.waiting).toEqual({
      reason: 'ErrImageNeverPull',
      message: 'Container image "no-such-image:1" is not present with pull policy of Never',
    }),
  )
})

test('until its postStart hook has ended a container is not there, and those after it are not started', async () => {
  const postStart = { exec: { command: ['sh', '-c', 'while [ ! -e gate ]; do sleep 0.05; done'] } }
  await agent.create('hooked', [
    sh(forever, { lifecycle: { postStart } }),
    { ...sh(forever), name: 'd' },
  ])
  await until(() => expect(agent.events('hooked')).toContain('Created: Created container: c'))
  await until(() =>
    expect(agent.pod('hooked')?.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }, {}],
    }),
  )
  expect(agent.events('hooked')).not.toContain('Created: Created container: d')
  await writeFile(join(agent.root('hooked'), 'gate'), '')
  await until(() =>
    expect(agent.pod('hooked')?.status.containerStatuses).toMatchObject([
      { ready: true },
      { ready: true },
    ]),
  )
})

test('a postStart hook that fails ends its container', async () => {
  const postStart = { exec: { command: ['sh', '-c', 'exit 1'] } }
  await agent.create('failing', [sh(forever, { lifecycle: { postStart } })])
  await until(() => expect(agent.status('failing')?.restartCount).toBeGreaterThan(0))
  await until(() =>
    expect(agent.events('failing')).toEqual(
      expect.arrayContaining([
        'FailedPostStartHook: PostStartHook failed',
        'Killing: FailedPostStartHook',
        expect.stringMatching(/^BackOff: Back-off restarting failed container c in pod failing_/),
      ]),
    ),
  )
})

test('a probe may give less time to end than the pod', async () => {
  const livenessProbe = {
    exec: { command: ['sh', '-c', '[ ! -e up ]'] },
    periodSeconds: 0.05,
    failureThreshold: 1,
    terminationGracePeriodSeconds: 1,
  }
  await agent.create('sick', [sh(stubborn, { livenessProbe })], {
    terminationGracePeriodSeconds: 600,
    restartPolicy: 'Never',
  })
  await until(() => expect(agent.status('sick')?.state.terminated?.exitCode).toBe(137))
  expect(agent.events('sick')).toContain('Killing: Container c failed liveness probe')
})

test('sidecars end after the others, the last one first, and only then the pod is over', async () => {
  const loop = 'while :; do sleep 0.05; done'
  const sidecar = (name: string): Container => ({
    ...sh(`trap "echo ${name} >> order; exit 0" TERM; echo > up-${name}; ${loop}`),
    name,
    restartPolicy: 'Always',
  })
  const phases = new Set<string>()
  await agent.create('helped', [sh('while [ ! -e gate ]; do sleep 0.05; done')], {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 30,
    initContainers: [sidecar('a'), sidecar('b')],
  })
  await until(async () =>
    expect(await readdir(agent.root('helped'))).toEqual(expect.arrayContaining(['up-a', 'up-b'])),
  )
  await writeFile(join(agent.root('helped'), 'gate'), '')
  await until(() => {
    const { phase = '', initContainerStatuses = [] } = agent.pod('helped')?.status ?? {}
    const isAnyRunning = initContainerStatuses.some(({ state }) => state.running !== undefined)
    if (isAnyRunning) phases.add(phase)
    expect(phase).toBe('Succeeded')
  })
  expect([...phases]).not.toContain('Succeeded')
  expect(await readFile(join(agent.root('helped'), 'order'), 'utf8')).toBe('b\na\n')
})

test('a deleted pod tells how it ended before its object goes', async () => {
  let last: unknown
  await agent.create('leaving', [sh(forever)], { terminationGracePeriodSeconds: 60 })
  await until(async () => expect(await readdir(agent.root('leaving'))).toContain('up'))
  agent.client.intercept = ({ verb, name }) => {
    if (verb === 'delete' && name === 'leaving') last = agent.pod('leaving')?.status
    return undefined
  }
  await agent.client.delete(podType, 'default', 'leaving')
  await until(() => expect(agent.pod('leaving')).toBeUndefined())
  expect(last).toMatchObject({
    phase: 'Succeeded',
    containerStatuses: [{ state: { terminated: { exitCode: 0 } } }],
  })
})

test('a pod that was bound past the scheduler and does not fit is refused', async () => {
  await agent.create('large', [sh(forever, { resources: { requests: { cpu: '5000' } } })])
  await until(() =>
    expect(agent.pod('large')?.status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' }),
  )
  expect(agent.pod('large')?.status.message).toMatch(
    /^Pod was rejected: Node didn't have enough resource: cpu, requested: 5000000, used: 0, capacity: \d+000$/,
  )
})
