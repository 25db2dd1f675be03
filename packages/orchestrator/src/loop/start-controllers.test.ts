import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeApiClient } from '../client/testing/fake-api-client.ts'
import { deploymentOf, nodeOf, podOf, readyStatus } from '../controllers/testing/objects.ts'
import { configMapType } from '../resources/config-map.ts'
import { deploymentType, type Deployment } from '../resources/deployment.ts'
import { endpointsType } from '../resources/endpoints.ts'
import { namespaceType, type Namespace } from '../resources/namespace.ts'
import { nodeType, type Node } from '../resources/node.ts'
import type { KubeObject, ObjectMeta } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { replicaSetType } from '../resources/replica-set.ts'
import { serviceType } from '../resources/service.ts'
import { startControllers } from './start-controllers.ts'
import { startScheduler } from './start-scheduler.ts'

let client: FakeApiClient
let errors: unknown[]
const parts: { close(): Promise<void> }[] = []
const onError = (error: unknown): void => {
  errors.push(error)
}
const start = async (): Promise<void> => {
  parts.push(await startControllers({ client, onError }))
}
/** As a client sends it: without what the server fills in. */
const fresh = <T extends KubeObject>(object: T, metadata: Partial<ObjectMeta> = {}): T => {
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _time,
    generation: _generation,
    ...rest
  } = object.metadata
  return { ...object, metadata: { ...rest, ...metadata } }
}
const until = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 })
const pods = (): Pod[] => client.all<Pod>(podType)
const count = (verb: string, plural: string): number =>
  client.calls.filter((call) => call.verb === verb && call.plural === plural).length

beforeEach(() => {
  client = new FakeApiClient()
  errors = []
})
afterEach(async () => {
  for (const part of parts.splice(0)) await part.close()
})

test('a deployment leads to pods, its status follows theirs, and deleting it removes all', async () => {
  await start()
  await client.create(deploymentType, fresh(deploymentOf('d', 3)))
  await until(() => expect(pods()).toHaveLength(3))
  for (const pod of client.all<Pod>(podType))
    await client.update(podType, { ...pod, status: readyStatus }, 'status')
  await until(() =>
    expect(client.all(deploymentType)).toMatchObject([
      { status: { availableReplicas: 3, updatedReplicas: 3, observedGeneration: 1 } },
    ]),
  )
  await client.delete(deploymentType, 'default', 'd')
  await until(() => expect([client.all(replicaSetType), pods()]).toEqual([[], []]))
  expect(errors).toEqual([])
})

test('creations start slowly: one that is refused stops the rest, and tells why', async () => {
  client.intercept = ({ verb, plural }) =>
    verb === 'create' && plural === 'pods' ? new Error('no quota') : undefined
  await start()
  await client.create(deploymentType, fresh(deploymentOf('d', 100)))
  await until(() =>
    expect(
      client
        .all<KubeObject & { reason: string; message: string }>({
          group: '',
          version: 'v1',
          plural: 'events',
        })
        .find(({ reason }) => reason === 'FailedCreate')?.message,
    ).toBe('Error creating: no quota'),
  )
  const failures = (): unknown[] =>
    client
      .all<Deployment>(deploymentType)
      .flatMap(({ status }) => status.conditions ?? [])
      .filter(({ type }) => type === 'ReplicaFailure')
  await until(() =>
    expect(failures()).toMatchObject([{ reason: 'FailedCreate', message: 'no quota' }]),
  )
  client.intercept = () => undefined
  await until(() => expect(pods()).toHaveLength(100))
  expect(count('create', 'pods')).toBe(100)
  await until(() => expect(failures()).toEqual([]))
})

test('a namespace is emptied before it goes', async () => {
  await client.create<Namespace>(namespaceType, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'x' },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  await client.create(configMapType, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cm', namespace: 'x' },
  })
  await client.create(podType, fresh(podOf('p'), { namespace: 'x' }))
  await start()
  await client.delete(namespaceType, undefined, 'x')
  await until(() => expect(client.all(configMapType)).toEqual([]))
  await until(() =>
    expect(pods()).toMatchObject([
      { metadata: { deletionTimestamp: expect.any(String) as string } },
    ]),
  )
  await until(() =>
    expect(client.all<Namespace>(namespaceType).map(({ status }) => status)).toMatchObject([
      {
        conditions: expect.arrayContaining([
          expect.objectContaining({
            type: 'NamespaceContentRemaining',
            status: 'True',
            reason: 'SomeResourcesRemain',
            message: 'Some resources are remaining: pods. has 1 resource instances',
          }),
        ]) as unknown,
      },
    ]),
  )
  await client.delete(podType, 'x', 'p', { gracePeriodSeconds: 0 })
  await until(() => expect(client.all(namespaceType)).toEqual([]))
})

test('an object whose owner never was there goes, one whose owner the cache just does not show stays', async () => {
  const owner = await client.create(configMapType, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'owner', namespace: 'default' },
  })
  const owned = (name: string, uid: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }],
    },
  })
  await client.create(configMapType, owned('kept', owner.metadata.uid))
  await client.create(configMapType, owned('lost', 'another-uid'))
  await start()
  await until(() =>
    expect(client.all(configMapType).map(({ metadata }) => metadata.name)).toEqual([
      'owner',
      'kept',
    ]),
  )
})

test('the addresses of a service follow its pods', async () => {
  await start()
  await client.create(serviceType, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { selector: { app: 'a' }, ports: [{ port: 80 }] },
    status: { loadBalancer: {} },
  })
  await client.create(
    podType,
    fresh({ ...podOf('p'), status: { ...readyStatus, podIP: '127.64.0.1' } }),
  )
  await until(() =>
    expect(client.all(endpointsType)).toMatchObject([
      { subsets: [{ addresses: [{ ip: '127.64.0.1' }] }] },
    ]),
  )
  await client.delete(serviceType, 'default', 's')
  await until(() => expect(client.all(endpointsType)).toEqual([]))
})

test('the scheduler binds pods where they fit and tells of those that do not', async () => {
  await client.create<Node>(nodeType, fresh(nodeOf('n1', { allocatable: { cpu: '1' } })))
  parts.push(await startScheduler({ client, onError }))
  const pending = (name: string, cpu: string): Pod => {
    const pod = podOf(name, {
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] },
      status: { phase: 'Pending' },
    })
    const { nodeName: _node, ...spec } = pod.spec
    return fresh({ ...pod, spec })
  }
  await client.create(podType, pending('fits', '1'))
  await until(() => expect(pods()).toMatchObject([{ spec: { nodeName: 'n1' } }]))
  await client.create(podType, pending('waits', '1'))
  await until(() =>
    expect(pods()[1]?.status.conditions).toMatchObject([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message:
          '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
      },
    ]),
  )
  await client.delete(podType, 'default', 'fits', { gracePeriodSeconds: 0 })
  await until(() =>
    expect(pods()).toMatchObject([{ metadata: { name: 'waits' }, spec: { nodeName: 'n1' } }]),
  )
  expect(errors).toEqual([])
})

test('a binding that fails is tried again', async () => {
  let failures = 1
  client.intercept = ({ verb }) =>
    verb === 'bind' && failures-- > 0 ? new Error('unavailable') : undefined
  await client.create<Node>(nodeType, fresh(nodeOf('n1')))
  parts.push(await startScheduler({ client, onError }))
  const { nodeName: _node, ...spec } = podOf('p').spec
  await client.create(
    podType,
    fresh({ ...podOf('p'), spec, status: { phase: 'Pending' as const } }),
  )
  await until(() => expect(pods()).toMatchObject([{ spec: { nodeName: 'n1' } }]))
  expect(errors).toHaveLength(1)
})

test('a more important pod pushes a less important one out and gets its place', async () => {
  await client.create<Node>(nodeType, fresh(nodeOf('n1', { allocatable: { cpu: '1' } })))
  parts.push(await startScheduler({ client, onError }))
  const withPriority = (name: string, priority: number): Pod => {
    const { nodeName: _node, ...spec } = podOf(name, {
      spec: {
        priority,
        containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }],
      },
    }).spec
    return fresh({ ...podOf(name), spec, status: { phase: 'Pending' as const } })
  }
  await client.create(podType, withPriority('low', 0))
  await until(() => expect(pods()).toMatchObject([{ spec: { nodeName: 'n1' } }]))
  await client.create(podType, withPriority('high', 10))
  await until(() =>
    expect(pods().find(({ metadata }) => metadata.name === 'high')).toMatchObject({
      status: { nominatedNodeName: 'n1' },
    }),
  )
  await until(() =>
    expect(pods().find(({ metadata }) => metadata.name === 'low')).toMatchObject({
      metadata: { deletionGracePeriodSeconds: 30 },
      status: { conditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    }),
  )
  await client.delete(podType, 'default', 'low', { gracePeriodSeconds: 0 })
  await until(() =>
    expect(pods()).toMatchObject([{ metadata: { name: 'high' }, spec: { nodeName: 'n1' } }]),
  )
  expect(errors).toEqual([])
})

test('a pod behind a gate waits for the gate, not for a node', async () => {
  await client.create<Node>(nodeType, fresh(nodeOf('n1')))
  parts.push(await startScheduler({ client, onError }))
  const { nodeName: _node, ...spec } = podOf('p').spec
  const waiting = { phase: 'Pending' as const }
  const gated = { ...spec, schedulingGates: [{ name: 'g' }] }
  await client.create(podType, fresh({ ...podOf('gated'), spec: gated, status: waiting }))
  await client.create(podType, fresh({ ...podOf('open'), spec, status: waiting }))
  const nodeNameOf = (name: string): string | undefined =>
    pods().find(({ metadata }) => metadata.name === name)?.spec.nodeName
  await until(() => expect(nodeNameOf('open')).toBe('n1'))
  expect(nodeNameOf('gated')).toBeUndefined()
  await client.patch(podType, 'default', 'gated', 'merge', { spec: { schedulingGates: null } })
  await until(() => expect(nodeNameOf('gated')).toBe('n1'))
  expect(errors).toEqual([])
})
