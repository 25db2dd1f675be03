import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeApiClient } from '../client/testing/fake-api-client.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import type { Container, PodSpec } from '../resources/pod-spec/pod-spec.ts'
import { podType, type ContainerStatus, type Pod } from '../resources/pod.ts'
import { NodeConnections } from '../apiserver/node-connections.ts'
import { startAgent, type Agent } from './agent.ts'
import { podsMax } from './node/node-facts.ts'
import { ProcessRuntime } from './runtime/process-runtime.ts'
import type { Run, RunSpec, Runtime } from './runtime/runtime.ts'

const nodeName = 'n1'
let dataDir = ''
let client: FakeApiClient
let errors: unknown[] = []
let connections = new NodeConnections()
const agents: Agent[] = []

const start = async (
  isStopping = true,
  runtime: Runtime = new ProcessRuntime(),
): Promise<Agent> => {
  const agent = await startAgent({
    client,
    runtime,
    nodeName,
    dataDir,
    stopPods: isStopping,
    connections,
    onError: (error) => errors.push(error),
  })
  agents.push(agent)
  return agent
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'balsa-agent-'))
  client = new FakeApiClient()
  errors = []
  connections = new NodeConnections()
})
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close()
  // A last agent that stops what an abandoned one left.
  for (const pod of client.all<Pod>(podType))
    await client.delete(podType, 'default', pod.metadata.name, { gracePeriodSeconds: 0 })
  const cleaner = await start()
  await cleaner.close()
  agents.splice(0)
  expect(await readdir(join(dataDir, 'pods')).catch(() => [])).toEqual([])
  await rm(dataDir, { recursive: true, force: true })
})

const sh = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  image: 'label',
  command: ['sh', '-c', script],
  resources: {},
  ...more,
})
const byLog: Partial<Container> = { terminationMessagePolicy: 'FallbackToLogsOnError' }
const tmpWords: Partial<Container> = { terminationMessagePath: '/spoken/words' }
const volWords: Partial<Container> = {
  terminationMessagePath: '/vol/words',
  volumeMounts: [{ name: 'v', mountPath: '/vol' }],
}
const forever = 'echo $$$$; while :; do sleep 0.05; done'
const create = (
  containers: readonly Container[],
  spec: Partial<PodSpec> = {},
  name = 'p',
): Promise<Stored<Pod>> =>
  client.create<Pod>(podType, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName, terminationGracePeriodSeconds: 1, containers, ...spec },
    status: { phase: 'Pending' },
  })
const pod = (name = 'p'): Stored<Pod> | undefined =>
  client.all<Pod>(podType).find((object) => object.metadata.name === name)
const status = (): ContainerStatus | undefined => pod()?.status.containerStatuses?.[0]
const until = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 20_000, interval: 20 })
const log = async (options: { previous?: boolean; container?: string } = {}): Promise<string> => {
  const of = pod()
  if (of === undefined) throw new Error('no pod')
  const chunks: Uint8Array[] = []
  const all = {
    container: 'c',
    previous: false,
    follow: false,
    timestamps: false,
    tailLines: undefined,
    sinceMs: undefined,
    limitBytes: undefined,
    ...options,
  }
  for await (const chunk of connections
    .get(nodeName)
    .readLog(of, all, new AbortController().signal))
    chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
const logIs = (text: string | RegExp): Promise<void> =>
  until(async () => expect(await log()).toMatch(text))
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
const events = (): string[] =>
  client
    .all<KubeObject & { reason: string; message: string }>({
      group: '',
      version: 'v1',
      plural: 'events',
    })
    .map(({ reason, message }) => `${reason}: ${message}`)

test('the agent registers its node as Ready with capacity and a lease', async () => {
  await start()
  const [node] = client.all<
    KubeObject & { status: { conditions: { type: string; status: string }[]; capacity: object } }
  >({ group: '', version: 'v1', plural: 'nodes' })
  expect(node?.status.conditions.map(({ type, status: value }) => `${type}=${value}`)).toContain(
    'Ready=True',
  )
  expect(Object.keys(node?.status.capacity ?? {}).sort()).toEqual([
    'cpu',
    'ephemeral-storage',
    'memory',
    'pods',
  ])
  expect(
    client.all({ group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }),
  ).toHaveLength(1)
})

test('a pod runs its program with its environment and becomes Ready', async () => {
  await start()
  await create([
    sh('echo "$POD_IP $WHO $HOSTNAME"; exec sleep 60', {
      env: [
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'WHO', value: 'me@$(IP)' },
      ],
    }),
  ])
  await until(() =>
    expect(status()).toMatchObject({ ready: true, restartCount: 0, state: { running: {} } }),
  )
  const ip = pod()?.status.podIP
  expect(ip).toMatch(/^127\./)
  await logIs(`${ip} me@${ip} p\n`)
  expect(pod()?.status.phase).toBe('Running')
  expect(pod()?.status.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ])
  await until(() =>
    expect(events()).toEqual([
      'Pulled: Container image "label" already present on machine',
      'Created: Created container: c',
      'Started: Started container c',
    ]),
  )
})

test('a program killed with -9 is restarted at once, RESTARTS counts it, and its log is kept as the previous one', async () => {
  await start()
  await create([sh(forever)])
  await logIs(/^\d+\n/)
  const first = Number(await log())
  process.kill(first, 'SIGKILL')
  await until(() =>
    expect(status()).toMatchObject({
      restartCount: 1,
      ready: true,
      lastState: { terminated: { exitCode: 137, reason: 'Error' } },
    }),
  )
  await logIs(/^\d+\n/)
  expect(Number(await log())).not.toBe(first)
  expect(await log({ previous: true })).toBe(`${first}\n`)
})

test('a program that fails again waits in CrashLoopBackOff', async () => {
  await start()
  await create([sh('echo bye; exit 3')])
  await until(() =>
    expect(status()).toMatchObject({
      restartCount: 1,
      ready: false,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off 10s restarting failed container=c pod=p_default(${pod()?.metadata.uid})`,
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    }),
  )
  expect(pod()?.status.phase).toBe('Running')
  expect(await log({ previous: true })).toBe('bye\n')
})

test('with restartPolicy Never a pod ends as Succeeded or Failed with its exit code', async () => {
  await start()
  await create([sh('exit 0')], { restartPolicy: 'Never' }, 'good')
  await create([sh('exit 7')], { restartPolicy: 'Never' }, 'bad')
  await until(() => expect(pod('good')?.status.phase).toBe('Succeeded'))
  await until(() => expect(pod('bad')?.status.phase).toBe('Failed'))
  expect(pod('bad')?.status.containerStatuses?.[0]?.state.terminated).toMatchObject({
    exitCode: 7,
    reason: 'Error',
  })
  expect(pod('good')?.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'PodCompleted',
  })
})

test('init containers run one after the other before the others, and a failing one fails the pod', async () => {
  await start()
  const init = (name: string, script: string): Container => ({ ...sh(script), name })
  await create([sh('cat order; exec sleep 60')], {
    initContainers: [init('a', 'echo a >> order'), init('b', 'echo b >> order')],
  })
  await until(() => expect(status()?.ready).toBe(true))
  await logIs('a\nb\n')
  await create(
    [sh('exit 0')],
    { restartPolicy: 'Never', initContainers: [init('a', 'exit 9')] },
    'failing',
  )
  await until(() => expect(pod('failing')?.status.phase).toBe('Failed'))
  expect(pod('failing')?.status.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(9)
  expect(pod('failing')?.status.containerStatuses?.[0]?.state.waiting?.reason).toBe(
    'PodInitializing',
  )
})

test('a program that is missing ends with StartError 128 and an event, and the agent goes on', async () => {
  await start()
  await create([sh('', { command: ['no-such-program'] })])
  await until(() =>
    expect(status()).toMatchObject({
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 128, reason: 'StartError' } },
    }),
  )
  expect(events()).toContain(
    'Failed: Error: failed to start container "c": exec: "no-such-program": executable file not found in $PATH',
  )
  await create([sh('exec sleep 60')], {}, 'next')
  await until(() => expect(pod('next')?.status.containerStatuses?.[0]?.ready).toBe(true))
})

test('a deleted pod gets SIGTERM and its time, then its object and its files go', async () => {
  await start()
  const made = await create(
    [sh('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done')],
    { terminationGracePeriodSeconds: 60 },
  )
  await logIs('ready\n')
  await client.delete(podType, 'default', 'p')
  await until(() => expect(pod()).toBeUndefined())
  await until(() => expect(existsSync(join(dataDir, 'pods', made.metadata.uid))).toBe(false))
})

test('a deleted pod that ignores SIGTERM is killed when its time is over', async () => {
  await start()
  await create([sh('trap "" TERM; echo $$$$; while :; do sleep 0.05; done')])
  await logIs(/^\d+\n/)
  const pid = Number(await log())
  await client.delete(podType, 'default', 'p')
  await until(() => expect(pod()).toBeUndefined())
  expect(isAlive(pid)).toBe(false)
})

test('an agent that was abandoned is followed by one that adopts the running program and its log', async () => {
  const first = await start(false)
  await create([sh('echo one; while [ ! -e gate ]; do sleep 0.05; done; echo two; exec sleep 60')])
  await logIs('one\n')
  await first.close()
  await start()
  expect(status()).toMatchObject({ restartCount: 0, ready: true })
  await writeFile(join(dataDir, 'pods', pod()?.metadata.uid ?? '', 'root', 'gate'), '')
  await until(async () => expect(await log()).toBe('one\ntwo\n'))
})

test('a program that ended while no agent looked keeps its exit code and is restarted', async () => {
  const first = await start(false)
  await create([sh('echo $$$$; while [ ! -e gate ]; do sleep 0.05; done; rm gate; exit 5')])
  await logIs(/^\d+\n/)
  const pid = Number(await log())
  await first.close()
  await writeFile(join(dataDir, 'pods', pod()?.metadata.uid ?? '', 'root', 'gate'), '')
  await until(() => expect(isAlive(pid)).toBe(false))
  await start()
  await until(() =>
    expect(status()).toMatchObject({
      restartCount: 1,
      ready: true,
      lastState: { terminated: { exitCode: 5 } },
    }),
  )
})

test('a pod deleted while no agent looked is cleared away by the next one', async () => {
  const first = await start(false)
  await create([sh(forever)])
  await logIs(/^\d+\n/)
  const pid = Number(await log())
  await first.close()
  await client.delete(podType, 'default', 'p', { gracePeriodSeconds: 0 })
  await start()
  expect(isAlive(pid)).toBe(false)
  expect(await readdir(join(dataDir, 'pods'))).toEqual([])
})

test.each([
  ['its message file', 'echo why > dev/termination-log; exit 3', {}, 'why\n'],
  ['a path of its own', 'printf own > "$BALSA_ROOT/spoken/words"; exit 0', tmpWords, 'own'],
  ['a file in a volume', 'printf far > vol/words', { ...volWords, ...byLog }, 'far'],
  ['what the environment names', 'printf named > "$BALSA_TERMINATION_LOG"; exit 1', byLog, 'named'],
  ['the end of its log if it fails', 'seq 1 1000; exit 1', byLog, /^921\n(?:\d+\n){78}1000\n$/],
  ['nothing if it does not fail', 'echo well', byLog, undefined],
  ['nothing without that policy', 'echo ill; exit 1', {}, undefined],
])('the message of a container that ends is read from %s', async (_from, script, more, message) => {
  await start()
  const volumes = [{ name: 'v', emptyDir: {} }]
  await create([sh(script, more)], { restartPolicy: 'Never', volumes })
  await until(() => expect(status()?.state.terminated).toBeDefined())
  const told = status()?.state.terminated?.message
  if (message instanceof RegExp) expect(told).toMatch(message)
  else expect(told).toBe(message)
})

test('a missing ConfigMap keeps the container waiting until it is there', async () => {
  await start()
  await create(
    [
      sh('echo $A; cat cfg/a; exec sleep 60', {
        env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'a' } } }],
        volumeMounts: [{ name: 'v', mountPath: '/cfg' }],
      }),
    ],
    {
      volumes: [{ name: 'v', configMap: { name: 'cm', optional: true } }],
    },
  )
  await until(() =>
    expect(status()?.state.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "cm" not found',
    }),
  )
  await client.create(
    { group: '', version: 'v1', plural: 'configmaps' },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'cm',
        namespace: 'default',
      },
      data: { a: 'value' },
    },
  )
  await until(() => expect(status()?.ready).toBe(true))
  await logIs('value\n')
})

test('a liveness probe that fails kills the container, which is restarted', async () => {
  await start()
  await create([
    sh('trap "exit 0" TERM; while :; do sleep 0.05; done', {
      livenessProbe: {
        exec: { command: ['sh', '-c', 'exit 1'] },
        periodSeconds: 1,
        failureThreshold: 1,
      },
    }),
  ])
  await until(() => expect(status()?.restartCount).toBe(1))
  expect(events()).toContain('Killing: Container c failed liveness probe, will be restarted')
})

test('a readiness probe decides whether the pod is Ready', async () => {
  await start()
  await create([
    sh('while [ ! -e gate ]; do sleep 0.05; done; touch ok; exec sleep 60', {
      readinessProbe: { exec: { command: ['test', '-e', 'ok'] }, periodSeconds: 1 },
    }),
  ])
  await until(() =>
    expect(status()).toMatchObject({ ready: false, started: true, state: { running: {} } }),
  )
  await writeFile(join(dataDir, 'pods', pod()?.metadata.uid ?? '', 'root', 'gate'), '')
  await until(() =>
    expect(pod()?.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True'),
  )
})

test('a pod that runs longer than its deadline fails', async () => {
  await start()
  await create([sh(forever)], { activeDeadlineSeconds: 1 })
  await until(() =>
    expect(pod()?.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' }),
  )
})

test('one pod more than the node takes is refused', async () => {
  for (let number = 0; number <= podsMax; number++)
    await create(
      [sh('exec sleep 60')],
      { restartPolicy: 'Never', volumes: [{ name: 'v', secret: { secretName: 'never' } }] },
      `p${number}`,
    )
  await start()
  await until(() =>
    expect(
      client.all<Pod>(podType).filter(({ status: { reason } }) => reason === 'OutOfpods'),
    ).toHaveLength(1),
  )
})

test('a pod whose object is gone takes no place, though its process is still ending', async () => {
  const idle = { volumes: [{ name: 'v', secret: { secretName: 'never' } }] }
  for (let number = 1; number < podsMax; number++)
    await create([sh('exec sleep 60')], idle, `p${number}`)
  await create([sh(`trap : TERM; ${forever}`)])
  await start()
  await until(() => expect(status()?.ready).toBe(true))
  await client.delete(podType, 'default', 'p', { gracePeriodSeconds: 0 })
  await create([sh('exec sleep 60')], { restartPolicy: 'Never' }, 'late')
  const late = (): Stored<Pod> | undefined =>
    client.all<Pod>(podType).find(({ metadata }) => metadata.name === 'late')
  await until(() => expect(late()?.status.phase).not.toBe('Pending'))
  expect(late()?.status).toMatchObject({ phase: 'Running' })
})

/** Starts nothing: what is left of an agent that died right after it wrote down what it was about to start. */
class DyingRuntime extends ProcessRuntime {
  override start(_spec: RunSpec): Promise<Run> {
    return new Promise(() => undefined)
  }
}

test('a run that was written down but never begun is begun by the next agent, and counts as no restart', async () => {
  const dying = await startAgent({ client, nodeName, dataDir, runtime: new DyingRuntime() })
  const made = await create([sh('exec sleep 60')])
  const record = join(dataDir, 'pods', made.metadata.uid, 'containers', 'c', 'record.json')
  await until(() => expect(existsSync(record)).toBe(true))
  // It never closes: its round hangs, as that of a dead process does.
  void dying
  await start()
  await until(() => expect(status()).toMatchObject({ restartCount: 0, ready: true }))
})

test('an error of the machine while a program is started counts as a failed run, and is tried again', async () => {
  let failures = 1
  class FailingRuntime extends ProcessRuntime {
    override start(spec: RunSpec): Promise<Run> {
      return failures-- > 0 ? Promise.reject(new Error('no space left')) : super.start(spec)
    }
  }
  await start(true, new FailingRuntime())
  await create([sh('exec sleep 60')])
  await until(() =>
    expect(status()).toMatchObject({
      restartCount: 1,
      ready: true,
      lastState: { terminated: { reason: 'StartError' } },
    }),
  )
  expect(errors).toEqual([new Error('no space left')])
})
