// Three machines, each with an apiserver, a controller manager and a scheduler of its own, on a store of three members that are processes:
// single components and members are killed without a goodbye at random times, while 200 pods roll out and while nodes are drained.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@balsa/kv/client'
import { SeededRandom } from '@balsa/raft/simulation'
import type { Kv } from '@balsa/kv'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ApiServer } from '../packages/orchestrator/src/apiserver/api-server.ts'
import { ConnectionError } from '../packages/orchestrator/src/client/http-transport.ts'
import { isApiError } from '../packages/orchestrator/src/client/is-api-error.ts'
import { isActive } from '../packages/orchestrator/src/controllers/pod-state.ts'
import { controllerOf } from '../packages/orchestrator/src/controllers/owner.ts'
import { deploymentOf } from '../packages/orchestrator/src/controllers/testing/objects.ts'
import { defaultStages } from '../packages/orchestrator/src/fake/pod-stages.ts'
import { ClusterInvariants } from '../packages/orchestrator/src/loop/testing/cluster-invariants.ts'
import { startFakeNodes } from '../packages/orchestrator/src/fake/fake-nodes.ts'
import {
  deploymentType,
  type Deployment,
} from '../packages/orchestrator/src/resources/deployment.ts'
import {
  podDisruptionBudgetType,
  type PodDisruptionBudget,
} from '../packages/orchestrator/src/resources/workloads/pod-disruption-budget.ts'
import { Machine, openApiServer, type Component } from './component-copies.ts'
import { storeOf } from './crash/cast.ts'
import type { Program } from './crash/program.ts'
import { RegistryHistory } from './crash/registry-history.ts'
import { RolloutWatcher } from './rollout-watcher.ts'

/** Those who wait for a killed one do not wait long, and a busy machine does not make leaders lose their Leases. */
const election = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 200 }
const names = ['a', 'b', 'c']
const podsWanted = 200
/** maxSurge and maxUnavailable. */
const spare = 20
const evictions = 60

/** Pods take a moment to be ready, and to go. */
const stages = defaultStages.map((stage) => ({ ...stage, delayMs: 50, jitterMs: 200 }))

let members: readonly Program[] = []
let kv: Kv
let history: RegistryHistory
const invariants = new ClusterInvariants()
let dataDir = ''
let observer: ApiServer & Component
let nodes: { close(): Promise<void> }
let watcher: RolloutWatcher
const machines: Machine[] = []
const errors: string[] = []

/** What one hears of others that are killed: lost connections, and what they or their store could not do any more. */
const isExpected = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  isApiError(error, 410) ||
  (error instanceof Error && /cut off|connection lost|no leader|timed out/.test(error.message))

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'balsa-kills-'))
  const store = await storeOf('members', dataDir)
  const { endpoints } = store
  members = store.programs
  for (const member of members) member.start()
  kv = await connect({ endpoints: [...endpoints], protocol: 'native', connectTimeoutMs: 30_000 })
  await kv.get('health')
  history = new RegistryHistory(kv, (change) => invariants.take(change))
  const onError = (role: string, error: unknown): void =>
    void (isExpected(error) || errors.push(`${role}: ${String(error)}`))
  observer = await openApiServer(endpoints, join(dataDir, 'observer'), (error) =>
    onError('observer', error),
  )
  nodes = await startFakeNodes({ client: observer.client, count: 10, stages })
  watcher = new RolloutWatcher(observer.client)
  await watcher.start()
  for (const name of names) {
    machines.push(await Machine.start({ endpoints, dataDir, election, onError }, name))
  }
}, 60_000)
afterAll(async () => {
  watcher.close()
  await Promise.all(machines.map((machine) => machine.close()))
  await nodes.close()
  await observer.close()
  history.close()
  await kv.close()
  await Promise.all(members.map((member) => member.kill()))
  await rm(dataDir, { recursive: true, force: true })
})

/** The seed that is printed brings the same choices again. */
const seed = Number(process.env['BALSA_SEED'] ?? Date.now() % 1_000_000)
const chances = new SeededRandom(seed)
const random = (): number => chances.next()
const told = `seed ${seed}`
const roles = ['apiserver', 'manager', 'scheduler', 'member'] as const

/** The one that was killed last is away until the next one is, or comes again at once. */
let comeBack: () => Promise<void> | void = () => undefined
const restart = async (): Promise<void> => {
  await comeBack()
  comeBack = () => undefined
}
const killOne = async (): Promise<void> => {
  await restart()
  const index = Math.floor(random() * machines.length)
  const [machine, member] = [machines[index], members[index]]
  const role = roles[Math.floor(random() * roles.length)]
  if (machine === undefined || member === undefined || role === undefined)
    throw new Error('none to kill')
  if (role === 'member') {
    await member.kill()
    comeBack = () => member.start()
  } else {
    await machine.kill(role)
    comeBack = () => machine.start(role)
  }
  if (random() < 0.3) await restart()
}

/** Kills one whenever `done` is past the next of so many random marks between 0 and 1. */
const killWhile = async (count: number, done: () => number): Promise<void> => {
  for (let index = 0; index < count; index++) {
    const mark = ((index + random()) / count) * 0.9
    await vi.waitFor(() => expect(done(), told).toBeGreaterThan(mark), {
      timeout: 60_000,
      interval: 10,
    })
    await killOne()
  }
}

const deployment = (): Promise<Deployment> =>
  observer.client.get<Deployment>(deploymentType, 'default', 'd')
const madeOf = (image: string): number =>
  watcher.pods.filter((pod) => isActive(pod) && pod.spec.containers[0]?.image === image).length

/** The declared state, and nothing beside it. */
const settled = async (image: string): Promise<void> => {
  await vi.waitFor(
    async () => {
      const { status, metadata } = await deployment()
      expect(status, told).toMatchObject({
        observedGeneration: metadata.generation,
        replicas: podsWanted,
        updatedReplicas: podsWanted,
        availableReplicas: podsWanted,
      })
      expect(watcher.pods, told).toHaveLength(podsWanted)
    },
    { timeout: 90_000, interval: 50 },
  )
  const sets = watcher.sets.filter(({ spec }) => (spec.replicas ?? 1) > 0)
  expect(sets, told).toHaveLength(1)
  expect(
    sets.map((set) => controllerOf(set)?.name),
    told,
  ).toEqual(['d'])
  for (const pod of watcher.pods) {
    expect(controllerOf(pod)?.uid, told).toBe(sets[0]?.metadata.uid)
    expect(pod.spec.containers[0]?.image, told).toBe(image)
    expect(pod.status.phase, told).toBe('Running')
    expect(pod.spec.nodeName, told).toMatch(/./)
  }
  expect(watcher.broken, told).toEqual([])
  expect([...invariants.broken, ...members.flatMap(({ deaths }) => deaths)], told).toEqual([])
  expect(errors, told).toEqual([])
}

test('200 pods come, and no more, whichever components are killed meanwhile', async () => {
  watcher.expect({ availableMin: 0, sizeMax: podsWanted })
  const { spec, ...deployment } = deploymentOf('d', podsWanted)
  const rollingUpdate = { maxSurge: spare, maxUnavailable: spare }
  await observer.client.create<Deployment>(deploymentType, {
    ...deployment,
    metadata: { name: 'd', namespace: 'default' },
    spec: { ...spec, strategy: { type: 'RollingUpdate', rollingUpdate } },
  })
  await killWhile(3, () => madeOf('i:1') / podsWanted)
  await settled('i:1')
}, 180_000)

test('a rollout keeps what it promises at every moment and ends as declared, whichever components are killed', async () => {
  watcher.expect({ availableMin: podsWanted - spare, sizeMax: podsWanted + spare })
  const containers = [{ name: 'c', image: 'i:2', resources: {} }]
  const patch = { spec: { template: { spec: { containers } } } }
  await observer.client.patch(deploymentType, 'default', 'd', 'merge', patch)
  await killWhile(6, () => madeOf('i:2') / podsWanted)
  await settled('i:2')
}, 180_000)

test('evictions keep to the budget at every moment, whichever components are killed', async () => {
  watcher.expect({ availableMin: podsWanted - spare, sizeMax: podsWanted })
  const maxUnavailable = spare
  await observer.client.create<PodDisruptionBudget>(podDisruptionBudgetType, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'default' },
    spec: { maxUnavailable, selector: { matchLabels: { app: 'a' } } },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  })
  const doomed = watcher.pods.slice(0, evictions).map(({ metadata }) => metadata)
  const left = (): typeof doomed => {
    const uids = new Set(watcher.pods.filter(isActive).map(({ metadata }) => metadata.uid))
    return doomed.filter(({ uid }) => uids.has(uid))
  }
  const evicted = vi.waitFor(
    async () => {
      await Promise.all(left().slice(0, spare).map(evict))
      expect(left(), told).toEqual([])
    },
    { timeout: 90_000, interval: 100 },
  )
  await Promise.all([evicted, killWhile(3, () => 1 - left().length / doomed.length)])
  await settled('i:2')
}, 180_000)

/** Through one apiserver or another; refused by the budget or lost on the way, it is tried again. */
const evict = async ({ name, uid }: { name: string; uid: string }): Promise<void> => {
  const machine = machines[Math.floor(Math.random() * machines.length)]
  try {
    await machine?.post(`/api/v1/namespaces/default/pods/${name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace: 'default' },
      deleteOptions: { preconditions: { uid } },
    })
  } catch (reason) {
    if (!isExpected(reason) && !isApiError(reason, 404, 409, 429, 500, 503, 504)) throw reason
  }
}
