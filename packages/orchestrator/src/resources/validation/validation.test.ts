// The rules of the kinds, one wrong field at a time: upstream's path and words.
import { describe, expect, test } from 'vitest'
import {
  configMapType,
  deploymentType,
  leaseType,
  namespaceType,
  nodeType,
  podType,
  replicaSetType,
  secretType,
  serviceType,
} from '../index.ts'
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { applyJsonMergePatch } from '../patch/json-merge-patch.ts'
import { decodeObject } from '../schema/decode-object.ts'

const podTemplate = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'node' }] },
}
const workload = { selector: { matchLabels: { app: 'web' } }, template: podTemplate }
const valid: Record<string, Json> = {
  ConfigMap: { data: { a: 'b' } },
  Deployment: { spec: workload },
  Lease: {},
  Namespace: {},
  Node: {},
  Pod: { spec: podTemplate.spec },
  ReplicaSet: { spec: workload },
  Secret: { data: { a: 'YQ==' } },
  Service: { spec: { ports: [{ port: 80 }] } },
}

const made = <T extends KubeObject>(type: ResourceType<T>, change: Json): T => {
  const base = { metadata: { name: 'x' }, ...(valid[type.kind] as object) } as Json
  const patched = applyJsonMergePatch(base, change)
  const decoded = decodeObject(type, patched.ok ? patched.value : null)
  if (!decoded.ok) throw new Error(decoded.message)
  const defaulted = type.defaults(decoded.object)
  return type.prepareForCreate?.(defaulted) ?? defaulted
}
const problems = <T extends KubeObject>(type: ResourceType<T>, change: Json): string[] =>
  type.validate(made(type, change)).map(({ field, message }) => `${field}: ${message}`)
const updateProblems = <T extends KubeObject>(
  type: ResourceType<T>,
  before: Json,
  after: Json,
): string[] => {
  const old = made(type, before)
  return (type.validateUpdate?.(made(type, after), old) ?? []).map(
    ({ field, message }) => `${field}: ${message}`,
  )
}

test.each([
  configMapType,
  deploymentType,
  leaseType,
  namespaceType,
  nodeType,
  podType,
  replicaSetType,
  secretType,
  serviceType,
] as ResourceType[])('a plain $kind is valid', (type) => {
  expect(problems(type, {})).toEqual([])
})

describe('metadata', () => {
  test.each<[Json, string]>([
    [
      { metadata: { name: null } },
      'metadata.name: Required value: name or generateName is required',
    ],
    [
      { metadata: { name: 'Web' } },
      `metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
    [
      { metadata: { labels: { a: 'b c' } } },
      `metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
    [
      { metadata: { annotations: { '/a': '' } } },
      'metadata.annotations: Invalid value: "/a": prefix part must be non-empty',
    ],
    [
      { metadata: { annotations: { a: 'x'.repeat(256 * 1024) } } },
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
    [
      { metadata: { finalizers: ['mine'] } },
      'metadata.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p' }] } },
      'metadata.ownerReferences[0].uid: Invalid value: "": must not be empty',
    ],
  ])('%j', (change, text) => {
    expect(problems(podType, change)).toEqual([text])
  })

  test('generated names take a prefix that ends in a dash', () => {
    expect(problems(podType, { metadata: { name: null, generateName: 'web-' } })).toEqual([
      'metadata.name: Required value: name or generateName is required',
    ])
  })
  test('identity does not change, and no finalizer is added to what is being deleted', () => {
    expect(
      updateProblems(
        configMapType,
        { metadata: { uid: 'u', finalizers: ['a/b'], deletionTimestamp: '2026-11-21T10:00:00Z' } },
        { metadata: { uid: 'v', finalizers: ['a/b', 'c/d'] } },
      ),
    ).toEqual([
      'metadata.uid: Invalid value: "v": field is immutable',
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
    ])
  })
})

const inContainer = (container: object, spec: object = {}): Json => ({
  spec: { containers: [{ name: 'c', image: 'node', ...container }], ...spec } as Json,
})

describe('pods', () => {
  test.each<[Json, string[]]>([
    [{ spec: { containers: null } }, ['spec.containers: Required value']],
    [
      { spec: { containers: [{}] } },
      ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
    ],
    [
      {
        spec: {
          containers: [
            { name: 'c', image: 'a' },
            { name: 'c', image: 'b' },
          ],
        },
      },
      ['spec.containers[1].name: Duplicate value: "c"'],
    ],
    [
      { spec: { restartPolicy: 'Sometimes' } },
      [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
      ],
    ],
    [
      inContainer({ ports: [{ containerPort: 0 }, { containerPort: 70_000 }] }),
      [
        'spec.containers[0].ports[0].containerPort: Required value',
        'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      inContainer({ ports: [{ containerPort: 80, protocol: 'ICMP' }] }),
      [
        'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
    [
      inContainer({
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'http', containerPort: 81 },
        ],
      }),
      ['spec.containers[0].ports[1].name: Duplicate value: "http"'],
    ],
    [
      inContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ],
    [
      inContainer(
        {
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'v', mountPath: '/v' },
          ],
        },
        { volumes: [{ name: 'v' }] },
      ),
      ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique'],
    ],
    [
      { spec: { volumes: [{ name: 'v' }, { name: 'v' }, {}] } },
      ['spec.volumes[1].name: Duplicate value: "v"', 'spec.volumes[2].name: Required value'],
    ],
    [
      { spec: { volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'm' } }] } },
      ['spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      { spec: { volumes: [{ name: 'v', secret: { items: [{ key: 'k', path: '../up' }] } }] } },
      [
        'spec.volumes[0].secret.secretName: Required value',
        `spec.volumes[0].secret.items[0].path: Invalid value: "../up": must not contain '..'`,
      ],
    ],
    [
      inContainer({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    ],
    [
      inContainer({ resources: { limits: { memory: '-1', disk: '1' } } }),
      [
        'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.containers[0].resources.limits[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
      ],
    ],
    [
      inContainer({ env: [{ name: '1A' }, { value: 'x' }] }),
      [
        `spec.containers[0].env[0].name: Invalid value: "1A": a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
        'spec.containers[0].env[1].name: Required value',
      ],
    ],
    [
      inContainer({
        env: [
          { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'status.nope' } } },
          { name: 'B', valueFrom: {} },
        ],
      }),
      [
        'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.nope": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
        'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ],
    ],
    [
      inContainer({ livenessProbe: { successThreshold: 2, periodSeconds: -1 } }),
      [
        'spec.containers[0].livenessProbe: Required value: must specify a handler type',
        'spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
      ],
    ],
    [
      inContainer({ readinessProbe: { exec: {}, tcpSocket: { port: 0 } } }),
      [
        'spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
        'spec.containers[0].readinessProbe.exec.command: Required value',
        'spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      {
        spec: {
          initContainers: [{ name: 'c', image: 'i', livenessProbe: { exec: { command: ['x'] } } }],
        },
      },
      [
        'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
        'spec.initContainers[0].name: Duplicate value: "c"',
      ],
    ],
    [
      inContainer({ imagePullPolicy: 'Maybe', restartPolicy: 'Always' }),
      [
        'spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
        'spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers',
      ],
    ],
    [
      {
        spec: {
          tolerations: [{ value: 'x' }, { key: 'k', tolerationSeconds: 5, effect: 'NoSchedule' }],
        },
      },
      [
        'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[1].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
    ],
    [
      {
        spec: {
          affinity: {
            nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} },
            podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101 }] },
          },
          activeDeadlineSeconds: 0,
        },
      },
      [
        'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
        'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
        'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty',
      ],
    ],
  ])('%j', (change, texts) => {
    expect(problems(podType, change)).toEqual(texts)
  })

  test('only images, deadlines and added tolerations may change', () => {
    const frozen =
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
    expect(updateProblems(podType, {}, inContainer({ image: 'other' }))).toEqual([])
    expect(updateProblems(podType, {}, { spec: { activeDeadlineSeconds: 5 } })).toEqual([])
    expect(
      updateProblems(
        podType,
        { spec: { activeDeadlineSeconds: 5 } },
        { spec: { activeDeadlineSeconds: 9 } },
      ),
    ).toEqual([frozen])
    expect(updateProblems(podType, {}, { spec: { tolerations: [{ key: 'k' }] } })).toEqual([])
    expect(updateProblems(podType, { spec: { tolerations: [{ key: 'k' }] } }, {})).toEqual([
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ])
    expect(updateProblems(podType, {}, inContainer({ command: ['x'] }))).toEqual([frozen])
    const gated = { spec: { schedulingGates: [{ name: 'g' }], nodeSelector: { a: 'b' } } }
    const opened = { spec: { nodeSelector: { a: 'b' } } }
    expect(updateProblems(podType, gated, opened)).toEqual([])
    expect(updateProblems(podType, opened, gated)).toEqual([
      "spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
    ])
    const narrowed = { spec: { ...gated.spec, nodeSelector: { a: 'b', c: 'd' } } }
    expect(updateProblems(podType, gated, narrowed)).toEqual([])
    expect(updateProblems(podType, narrowed, gated)).toEqual([frozen])
    expect(updateProblems(podType, opened, { spec: { nodeSelector: { a: 'c' } } })).toEqual([
      frozen,
    ])
    expect(updateProblems(podType, {}, { spec: { containers: [] } })).toEqual([
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ])
  })
})

describe('deployments', () => {
  test.each<[Json, string[]]>([
    [
      { spec: { replicas: -1 } },
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [{ spec: { selector: null } }, ['spec.selector: Required value']],
    [
      { spec: { selector: { matchLabels: null } } },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      { spec: { selector: { matchLabels: { app: 'db' } } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      { spec: { selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } } },
      [
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      { spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } } },
      [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
      ],
    ],
    [
      { spec: { strategy: { rollingUpdate: { maxUnavailable: '101%', maxSurge: 'x' } } } },
      [
        `spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
    ],
    [
      { spec: { strategy: { type: 'Recreate', rollingUpdate: {} } } },
      [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
    ],
    [
      { spec: { strategy: { type: 'Magic' } } },
      [
        'spec.strategy.type: Unsupported value: "Magic": supported values: "Recreate", "RollingUpdate"',
      ],
    ],
    [
      { spec: { minReadySeconds: 600 } },
      ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
    [
      { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ image: 'x' }] } } } },
      [
        'spec.template.spec.containers[0].name: Required value',
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      ],
    ],
  ])('%j', (change, texts) => {
    expect(problems(deploymentType, change)).toEqual(texts)
  })

  test('the selector never changes', () => {
    const changed = { spec: { selector: { matchLabels: { app: 'web', v: '2' } } } }
    for (const type of [deploymentType, replicaSetType] as ResourceType[]) {
      expect(updateProblems(type, {}, changed)).toEqual([
        'spec.selector: Invalid value: {"matchLabels":{"app":"web","v":"2"}}: field is immutable',
      ])
      expect(updateProblems(type, {}, { spec: { replicas: 7 } })).toEqual([])
    }
  })
})

describe('the other kinds', () => {
  test.each<[ResourceType, Json, string[]]>([
    [serviceType, { spec: { ports: [] } }, ['spec.ports: Required value']],
    [
      serviceType,
      { spec: { ports: [{ port: 0, targetPort: '-x' }] } },
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: "-x": must not begin or end with a hyphen',
      ],
    ],
    [
      serviceType,
      { spec: { ports: [{ port: 80 }, { port: 80, name: 'b' }] } },
      [
        'spec.ports[0].name: Required value',
        'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
      ],
    ],
    [
      serviceType,
      { spec: { type: 'Magic', sessionAffinity: 'Maybe' } },
      [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        'spec.sessionAffinity: Unsupported value: "Maybe": supported values: "ClientIP", "None"',
      ],
    ],
    [
      serviceType,
      { spec: { clusterIP: '1.2.3' } },
      [
        'spec.clusterIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [serviceType, { spec: { type: 'ExternalName' } }, ['spec.externalName: Required value']],
    [
      serviceType,
      { metadata: { name: '1a' } },
      [
        `metadata.name: Invalid value: "1a": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
      ],
    ],
    [
      configMapType,
      { data: { 'a/b': 'x' } },
      [
        `data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      ],
    ],
    [
      configMapType,
      { data: { a: 'x'.repeat(2 ** 20 + 1) } },
      ['[]: Too long: may not be more than 1048576 bytes'],
    ],
    [
      configMapType,
      { binaryData: { a: 'YQ==' } },
      ['data: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    [
      secretType,
      { type: 'kubernetes.io/tls' },
      ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
    ],
    [
      nodeType,
      {
        spec: {
          taints: [
            { key: 'k', effect: 'Never' },
            { key: 'l', effect: '' },
          ],
        },
      },
      [
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule"',
        'metadata.taints[1].effect: Required value',
      ],
    ],
    [
      leaseType,
      { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
      [
        'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
        'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
  ] as [ResourceType, Json, string[]][])('$0.kind %j', (type, change, texts) => {
    expect(problems(type, change)).toEqual(texts)
  })

  test('an address once given stays, and immutable data too', () => {
    expect(
      updateProblems(
        serviceType,
        { spec: { clusterIP: '10.0.0.1' } },
        { spec: { clusterIP: '10.0.0.2' } },
      ),
    ).toEqual(['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'])
    expect(updateProblems(configMapType, { immutable: true }, { data: { a: 'c' } })).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
    expect(updateProblems(secretType, {}, { type: 'other' })).toEqual([
      'type: Invalid value: "other": field is immutable',
    ])
  })
})
