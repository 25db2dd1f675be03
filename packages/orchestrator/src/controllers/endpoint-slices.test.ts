import { assert, array, boolean, integer, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointSlice } from '../resources/endpoint-slice.ts'
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { Service } from '../resources/service.ts'
import { reconcileEndpointSlices } from './endpoint-slices.ts'

const service = (spec: Partial<Service['spec']> = {}): Stored<Service> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 's',
    resourceVersion: '1',
    creationTimestamp: '2020-01-01T00:00:00Z',
    labels: { team: 'a' },
  },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  status: { loadBalancer: {} },
})
interface Wish {
  readonly id: number
  readonly isReady: boolean
  readonly isEnding: boolean
  readonly port: number
}
const pod = ({ id, isReady, isEnding, port }: Wish): Stored<Pod> =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-${id}`,
      namespace: 'default',
      uid: `u${id}`,
      resourceVersion: '1',
      creationTimestamp: '2020-01-01T00:00:00Z',
      labels: { app: 'web' },
      ...(isEnding ? { deletionTimestamp: '2020-01-01T00:00:01Z' } : {}),
    },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }],
    },
    status: {
      phase: 'Running',
      podIP: `10.0.${Math.floor(id / 250)}.${(id % 250) + 1}`,
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  }) as unknown as Stored<Pod>

/** The slices after the controller did all that it wants; counts its writes. */
class World {
  slices: Stored<EndpointSlice>[] = []
  writes = 0
  #made = 0

  run(owner: Stored<Service> | undefined, pods: readonly Stored<Pod>[]): void {
    const { actions } = reconcileEndpointSlices({
      service: owner,
      slices: this.slices,
      pods,
      nodeOf: () => undefined,
    })
    for (const action of actions) {
      this.writes++
      if (action.type === 'create') {
        const name = `web-${++this.#made}`
        const object = action.object as EndpointSlice
        const metadata = {
          ...object.metadata,
          name,
          uid: name,
          resourceVersion: '1',
          creationTimestamp: '',
        }
        this.slices.push({ ...object, metadata })
      } else if (action.type === 'update') {
        const object = action.object as Stored<EndpointSlice>
        this.slices = this.slices.map((one) =>
          one.metadata.uid === object.metadata.uid ? object : one,
        )
      } else if (action.type === 'delete') {
        this.slices = this.slices.filter((one) => one.metadata.uid !== action.uid)
      }
    }
  }
}

const wishes = array(
  record({
    id: integer({ min: 0, max: 400 }),
    isReady: boolean(),
    isEnding: boolean(),
    port: integer({ min: 80, max: 81 }),
  }),
  { maxLength: 300 },
)
const distinct = (list: readonly Wish[]): Wish[] => [
  ...new Map(list.map((one) => [one.id, one])).values(),
]

test('whatever pods come and go, the slices hold each once, a hundred at most, and rest when nothing changes', () => {
  assert(
    property(array(wishes, { minLength: 1, maxLength: 3 }), (steps) => {
      const world = new World()
      for (const step of steps) {
        const wanted = distinct(step)
        world.run(service(), wanted.map(pod))
        const found = world.slices.flatMap(({ endpoints = [], ports = [] }) =>
          endpoints.map((endpoint) => ({ endpoint, port: ports[0]?.port })),
        )
        expect(found.length).toBe(wanted.length)
        expect(new Set(found.map(({ endpoint }) => endpoint.targetRef?.uid))).toEqual(
          new Set(wanted.map(({ id }) => `u${id}`)),
        )
        for (const { endpoint, port } of found) {
          const wish = wanted.find(({ id }) => `u${id}` === endpoint.targetRef?.uid)
          expect(port).toBe(wish?.port)
          expect(endpoint.conditions).toEqual({
            ready: wish?.isReady === true && !wish.isEnding,
            serving: wish?.isReady,
            terminating: wish?.isEnding,
          })
        }
        expect(
          Math.max(0, ...world.slices.map(({ endpoints = [] }) => endpoints.length)),
        ).toBeLessThanOrEqual(100)
        const before = world.writes
        world.run(service(), wanted.map(pod))
        expect(world.writes).toBe(before)
      }
    }),
    { numRuns: 30 },
  )
})

test('one pod that changes is one slice that is written', () => {
  const world = new World()
  const all = Array.from({ length: 250 }, (_, id) => ({
    id,
    isReady: true,
    isEnding: false,
    port: 80,
  }))
  world.run(service(), all.map(pod))
  expect(world.slices.length).toBe(3)
  const before = world.writes
  world.run(
    service(),
    all.map((one) => pod(one.id === 7 ? { ...one, isReady: false } : one)),
  )
  expect(world.writes - before).toBe(1)
})

test('slices carry the labels of their service, one without pods has an empty slice, and they go with it', () => {
  const world = new World()
  world.run(service({ clusterIP: 'None' }), [])
  expect(world.slices.map(({ metadata, endpoints }) => [metadata.labels, endpoints])).toEqual([
    [
      {
        team: 'a',
        'service.kubernetes.io/headless': '',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      [],
    ],
  ])
  world.run(undefined, [])
  expect(world.slices).toEqual([])
})
