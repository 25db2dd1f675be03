// What the kinds fill in, show and keep: defaults, generations, columns, scale, grace.
import { describe, expect, test } from 'vitest'
import {
  deploymentType,
  eventType,
  namespaceType,
  nodeType,
  podType,
  replicaSetType,
  resourceTypes,
  secretType,
  serviceType,
} from './index.ts'
import type { Json, KubeObject, ResourceType } from './object.ts'
import { qosClass } from './pod-spec/qos-class.ts'
import { decodeObject } from './schema/decode-object.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const creationTimestamp = '2026-11-21T11:55:00Z'

const decoded = <T extends KubeObject>(type: ResourceType<T>, value: Json): T => {
  const result = decodeObject(type, value)
  if (!result.ok) throw new Error(result.message)
  return type.defaults(result.object)
}
/** Cells by column name. */
const shown = <T extends KubeObject>(
  type: ResourceType<T>,
  value: Json,
): Record<string, unknown> => {
  const cells = type.cells(decoded(type, value), now)
  return Object.fromEntries(type.columns.map(({ name }, index) => [name, cells[index]]))
}
const workload = {
  selector: { matchLabels: { app: 'web' } },
  template: {
    metadata: { labels: { app: 'web' } },
    spec: {
      containers: [
        { name: 'a', image: 'x:1' },
        { name: 'b', image: 'y' },
      ],
    },
  },
}

test('a pod gets the defaults that upstream fills in', () => {
  const pod = decoded(podType, {
    metadata: { name: 'p' },
    spec: {
      serviceAccount: 'sa',
      volumes: [{ name: 'v' }, { name: 'm', configMap: { name: 'm' } }],
      containers: [
        {
          name: 'c',
          image: 'registry:5000/node',
          ports: [{ containerPort: 80 }],
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
          livenessProbe: { httpGet: { port: 80 } },
          env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
        { name: 'd', image: 'node:20', imagePullPolicy: '' },
      ],
    },
  })
  expect(pod.spec).toEqual({
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    serviceAccount: 'sa',
    serviceAccountName: 'sa',
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'm', configMap: { name: 'm', defaultMode: 420 } },
    ],
    containers: [
      {
        name: 'c',
        image: 'registry:5000/node',
        imagePullPolicy: 'Always',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: {
          limits: { cpu: '1', memory: '1Gi' },
          requests: { cpu: '500m', memory: '1Gi' },
        },
        livenessProbe: {
          httpGet: { path: '/', port: 80, scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        env: [
          { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
        ],
      },
      {
        name: 'd',
        image: 'node:20',
        imagePullPolicy: 'IfNotPresent',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        resources: {},
      },
    ],
  })
})

test('a deployment gets the defaults that upstream fills in', () => {
  const { template, ...spec } = decoded(deploymentType, { spec: workload }).spec
  expect(template.spec.restartPolicy).toBe('Always')
  expect(spec).toEqual({
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    selector: { matchLabels: { app: 'web' } },
    strategy: {
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
    },
  })
})

test('services, secrets and namespaces get theirs', () => {
  expect(decoded(serviceType, { spec: { ports: [{ port: 80 }] } }).spec).toEqual({
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
  })
  expect(decoded(secretType, { data: { a: 'YQ==' }, stringData: { b: 'grüße' } })).toMatchObject({
    type: 'Opaque',
    data: { a: 'YQ==', b: Buffer.from('grüße').toString('base64') },
  })
  expect(decoded(secretType, { stringData: { b: 'x' } })).not.toHaveProperty('stringData')
  expect(decoded(namespaceType, { metadata: { name: 'n' } }).metadata.labels).toEqual({
    'kubernetes.io/metadata.name': 'n',
  })
})

test('the quality of service follows requests and limits', () => {
  const classOf = (...resources: Json[]): string =>
    qosClass(
      decoded(podType, {
        spec: { containers: resources.map((one) => ({ name: 'c', resources: one })) },
      }).spec,
    )
  expect(classOf({}, {})).toBe('BestEffort')
  expect(classOf({ requests: { cpu: '1' } }, {})).toBe('Burstable')
  expect(classOf({ limits: { cpu: '1', memory: '1Gi' } })).toBe('Guaranteed')
  expect(classOf({ limits: { cpu: '1', memory: '1Gi' } }, {})).toBe('Burstable')
  expect(classOf({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } })).toBe(
    'Burstable',
  )
})

describe('generations', () => {
  const made = decoded(deploymentType, { metadata: { name: 'd' }, spec: workload })
  const created = deploymentType.prepareForCreate?.(made) ?? made
  const update = (change: Partial<typeof created>): typeof created => {
    const object = { ...created, ...change }
    return deploymentType.prepareForUpdate?.(object, created) ?? object
  }
  test('start at one and grow with the spec or the annotations', () => {
    expect(created.metadata.generation).toBe(1)
    expect(update({ spec: { ...created.spec, replicas: 5 } }).metadata.generation).toBe(2)
    expect(
      update({ metadata: { ...created.metadata, annotations: { a: 'b' } } }).metadata.generation,
    ).toBe(2)
    expect(
      update({ metadata: { ...created.metadata, labels: { a: 'b' } } }).metadata.generation,
    ).toBe(1)
  })
  test('stay when the controller writes the revision', () => {
    const annotations = { 'deployment.kubernetes.io/revision': '1' }
    expect(update({ metadata: { ...created.metadata, annotations } }).metadata.generation).toBe(1)
  })
  test('stay when only a status was sent, which is dropped', () => {
    const updated = update({ status: { replicas: 9 } })
    expect(updated.metadata.generation).toBe(1)
    expect(updated.status).toEqual({})
  })
})

test('a namespace keeps its finalizer and phase whatever a client sends', () => {
  const made = decoded(namespaceType, { metadata: { name: 'n' } })
  const created = namespaceType.prepareForCreate?.(made) ?? made
  expect(created).toMatchObject({
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  const sent = { ...created, spec: {}, status: {} }
  expect(namespaceType.prepareForUpdate?.(sent, created)).toEqual(created)
})

test('an update of a service that leaves out its address keeps it', () => {
  const old = decoded(serviceType, {
    spec: { type: 'NodePort', clusterIP: '10.0.0.1', ports: [{ port: 80, nodePort: 30_080 }] },
  })
  const sent = decoded(serviceType, { spec: { type: 'NodePort', ports: [{ port: 80 }] } })
  expect(serviceType.prepareForUpdate?.(sent, old).spec).toMatchObject({
    clusterIP: '10.0.0.1',
    ports: [{ port: 80, nodePort: 30_080 }],
  })
})

test('pods go at once unless an agent runs them', () => {
  const grace = (value: Json, requested?: number): number | undefined =>
    podType.gracePeriodSeconds?.(decoded(podType, value), requested)
  const spec = { nodeName: 'n', containers: [{ name: 'c' }] }
  expect(grace({ spec: { containers: [] } })).toBe(0)
  expect(grace({ spec, status: { phase: 'Succeeded' } })).toBe(0)
  expect(grace({ spec })).toBe(30)
  expect(grace({ spec: { ...spec, terminationGracePeriodSeconds: 7 } })).toBe(7)
  expect(grace({ spec }, 3)).toBe(3)
  expect(grace({ spec }, 0)).toBe(0)
  expect(grace({ spec }, -1)).toBe(1)
})

test('scale reads and writes replicas, and names the pods', () => {
  for (const type of [deploymentType, replicaSetType] as ResourceType[]) {
    const object = decoded(type, { spec: { ...workload, replicas: 2 }, status: { replicas: 1 } })
    const { scale } = type.subresources
    expect(scale?.get(object)).toEqual({ specReplicas: 2, statusReplicas: 1, selector: 'app=web' })
    expect(scale?.get(scale.set(object, 5)).specReplicas).toBe(5)
  }
})

describe('tables', () => {
  const metadata = { name: 'x', namespace: 'default', creationTimestamp }

  test('names of kinds are those of kubectl', () => {
    const names = resourceTypes.map(({ group, plural, singular, shortNames, categories }) =>
      [group, plural, singular, ...shortNames, ...categories].join(' '),
    )
    expect(names).toEqual(
      expect.arrayContaining([
        ' configmaps configmap cm',
        ' endpoints endpoints ep',
        ' events event ev',
        ' namespaces namespace ns',
        ' nodes node no',
        ' pods pod po all',
        ' secrets secret',
        ' serviceaccounts serviceaccount sa',
        ' services service svc all',
        'apps deployments deployment deploy all',
        'apps replicasets replicaset rs all',
        'coordination.k8s.io leases lease',
        'rbac.authorization.k8s.io clusterrolebindings clusterrolebinding',
        'rbac.authorization.k8s.io clusterroles clusterrole',
        'rbac.authorization.k8s.io rolebindings rolebinding',
        'rbac.authorization.k8s.io roles role',
        'node.k8s.io runtimeclasses runtimeclass',
        'scheduling.k8s.io priorityclasses priorityclass pc',
        ' persistentvolumeclaims persistentvolumeclaim pvc',
        ' persistentvolumes persistentvolume pv',
        'storage.k8s.io storageclasses storageclass sc',
      ]),
    )
  })

  test('a deployment and its replica set', () => {
    expect(
      shown(deploymentType, {
        metadata,
        spec: { ...workload, replicas: 3 },
        status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
      }),
    ).toEqual({
      Name: 'x',
      Ready: '2/3',
      'Up-to-date': 3,
      Available: 1,
      Age: '5m',
      Containers: 'a,b',
      Images: 'x:1,y',
      Selector: 'app=web',
    })
    expect(
      shown(replicaSetType, {
        metadata,
        spec: workload,
        status: { replicas: 1, readyReplicas: 0 },
      }),
    ).toMatchObject({ Desired: 1, Current: 1, Ready: 0, Age: '5m' })
  })

  test('a node', () => {
    expect(
      shown(nodeType, {
        metadata: {
          ...metadata,
          labels: {
            'node-role.kubernetes.io/worker': '',
            'node-role.kubernetes.io/control-plane': '',
          },
        },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          nodeInfo: { kubeletVersion: 'v1.33.0-balsa', osImage: 'Linux' },
        },
      }),
    ).toEqual({
      Name: 'x',
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane,worker',
      Age: '5m',
      Version: 'v1.33.0-balsa',
      'Internal-IP': '127.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'Linux',
      'Kernel-Version': '<unknown>',
      'Container-Runtime': '<unknown>',
    })
    expect(shown(nodeType, { metadata })).toMatchObject({ Status: 'Unknown', Roles: '<none>' })
    const gone = { conditions: [{ type: 'Ready', status: 'Unknown' }] }
    expect(shown(nodeType, { metadata, status: gone })).toMatchObject({ Status: 'NotReady' })
  })

  test.each<[Json, object]>([
    [
      { clusterIP: '10.96.0.1', ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }] },
      {
        Type: 'ClusterIP',
        'Cluster-IP': '10.96.0.1',
        'External-IP': '<none>',
        'Port(s)': '80/TCP,53/UDP',
      },
    ],
    [
      { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }], selector: { b: '1', a: '2' } },
      { 'Port(s)': '80:30080/TCP', Selector: 'a=2,b=1' },
    ],
    [{ type: 'LoadBalancer', ports: [{ port: 80 }] }, { 'External-IP': '<pending>' }],
    [
      { type: 'ExternalName', externalName: 'db.example.com' },
      { 'Cluster-IP': '<none>', 'External-IP': 'db.example.com', 'Port(s)': '<none>' },
    ],
    [{ clusterIP: 'None' }, { 'Cluster-IP': 'None' }],
  ])('a service %j', (spec, cells) => {
    expect(shown(serviceType, { metadata, spec })).toMatchObject(cells)
  })

  test('an event', () => {
    expect(
      shown(eventType, {
        metadata,
        involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{c}' },
        reason: 'Killing',
        message: 'Stopping\n',
        type: 'Normal',
        source: { component: 'agent', host: 'n1' },
        firstTimestamp: '2026-11-21T11:50:00Z',
        lastTimestamp: '2026-11-21T11:59:00Z',
        count: 3,
      }),
    ).toEqual({
      'Last Seen': '60s',
      Type: 'Normal',
      Reason: 'Killing',
      Object: 'pod/web',
      Subobject: 'spec.containers{c}',
      Source: 'agent, n1',
      Message: 'Stopping',
      'First Seen': '10m',
      Count: 3,
      Name: 'x',
    })
  })
})
