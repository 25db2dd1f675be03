// Several control planes on one store: one acts at a time, and copies that end or are killed leave nothing half done.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startApiServer, type ApiServer } from './apiserver/api-server.ts'
import { MemoryStore } from './apiserver/memory-store.ts'
import { severable, type SeverableStore } from './apiserver/testing/severable-store.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { deploymentOf } from './controllers/testing/objects.ts'
import { startFakeNodes } from './fake/fake-nodes.ts'
import { deploymentType, type Deployment } from './resources/deployment.ts'
import { leaseType, type Lease } from './resources/lease.ts'
import type { Stored } from './resources/object.ts'
import { podType, type Pod } from './resources/pod.ts'

/** Short, so that those who wait for a killed one do not wait long. */
const leaderElect = { leaseDurationMs: 1000, renewDeadlineMs: 600, retryPeriodMs: 100 }

interface Copy {
  readonly store: SeverableStore
  readonly cluster: Cluster
}
let store: MemoryStore
let dataDir = ''
let server: ApiServer
let nodes: { close(): Promise<void> }
/** What a killed copy says is of no interest, what another one says is. */
let errors: string[]
const copies: Copy[] = []

beforeEach(async () => {
  store = new MemoryStore()
  errors = []
  dataDir = await mkdtemp(join(tmpdir(), 'balsa-planes-'))
  server = await startApiServer({ store, dataDir, url: 'https://127.0.0.1:0' })
  nodes = await startFakeNodes({ client: server.client, count: 10 })
})
afterEach(async () => {
  await Promise.all(copies.splice(0).map(({ cluster }) => cluster.close()))
  await nodes.close()
  await server.close()
  await store.close()
  await rm(dataDir, { recursive: true, force: true })
})

const startCopy = async (): Promise<void> => {
  const own = severable(store)
  let isKilled = false
  const cluster = await startCluster({
    store: { ...own, close: () => own.close() },
    agents: 0,
    leaderElect,
    onError: (error) => void (isKilled || errors.push(error.message)),
  })
  const sever = (): void => {
    isKilled = true
    own.sever()
  }
  copies.push({ store: { ...own, sever }, cluster })
}
/** Its process is gone from one moment to the next; what still runs of it here hears and says nothing. */
const kill = async (copy: Copy): Promise<void> => {
  copy.store.sever()
  await copy.cluster.close()
}
const take = (index: number): Copy => {
  const [copy] = copies.splice(index, 1)
  if (copy === undefined) throw new Error('no such copy')
  return copy
}
const pods = async (): Promise<readonly Stored<Pod>[]> =>
  (await server.client.list<Pod>(podType, {})).items
const holder = async (name: string): Promise<string> =>
  (await server.client.get<Lease>(leaseType, 'kube-system', name)).spec.holderIdentity ?? ''
const deploy = (replicas: number): Promise<Stored<Deployment>> =>
  server.client.create<Deployment>(deploymentType, {
    ...deploymentOf('d', replicas),
    metadata: { name: 'd', namespace: 'default' },
  })
const scale = (replicas: number): Promise<unknown> =>
  server.client.patch(deploymentType, 'default', 'd', 'merge', { spec: { replicas } })
const running = async (count: number): Promise<void> => {
  await vi.waitFor(
    async () => {
      const now = await pods()
      expect(now.filter(({ status }) => status.phase === 'Running')).toHaveLength(count)
    },
    { timeout: 20_000, interval: 50 },
  )
}

test('of two copies one acts; when it is closed or killed the other one does', async () => {
  await startCopy()
  await deploy(3)
  await running(3)
  const names = ['kube-controller-manager', 'kube-scheduler']
  const first = await Promise.all(names.map(holder))
  await startCopy()
  await scale(5)
  await running(5)
  expect(await Promise.all(names.map(holder))).toEqual(first)
  await take(0).cluster.close()
  await scale(7)
  await running(7)
  const second = await Promise.all(names.map(holder))
  expect(second.some((identity) => first.includes(identity))).toBe(false)
  await startCopy()
  await kill(take(0))
  await scale(9)
  await running(9)
  const third = await Promise.all(names.map(holder))
  expect(third.some((identity) => [...first, ...second].includes(identity))).toBe(false)
  expect(errors).toEqual([])
}, 60_000)
