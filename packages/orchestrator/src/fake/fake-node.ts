// The Node objects of fake nodes: what they say they have, and where they are.
import type { Lease } from '../resources/lease.ts'
import type { Node, NodeStatus } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import type { ResourceList } from '../resources/pod-spec/pod-spec.ts'
import { timestamp } from '../resources/timestamp.ts'

/** Addresses of pods and nodes are counted out of 10.0.0.0/8. */
export const fakeNodesMax = 10_000
export const leaseNamespace = 'kube-node-lease'

export const defaultCapacity: ResourceList = {
  cpu: '32',
  memory: '256Gi',
  'ephemeral-storage': '1Ti',
  pods: '110',
}
const zonesCount = 3

export const fakeNodeName = (prefix: string, index: number): string =>
  `${prefix}-${String(index).padStart(4, '0')}`

export const nodeAddress = (index: number): string => `10.0.${index >> 8}.${index & 255}`
/** `count`: of pods that the node has had. */
export const podAddress = (index: number, count: number): string =>
  `10.${64 + (index >> 8)}.${index & 255}.${1 + (count % 254)}`

export const fakeNode = (
  name: string,
  index: number,
  capacity: ResourceList,
  nowMs: number,
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: {
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'topology.kubernetes.io/zone': `zone-${index % zonesCount}`,
      type: 'fake',
    },
  },
  spec: {},
  status: fakeNodeStatus(name, index, capacity, nowMs),
})

export const fakeNodeStatus = (
  name: string,
  index: number,
  capacity: ResourceList,
  nowMs: number,
): NodeStatus => {
  const now = timestamp(nowMs)
  const times = { lastHeartbeatTime: now, lastTransitionTime: now }
  return {
    capacity,
    allocatable: capacity,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
        ...times,
      },
    ],
    addresses: [
      { type: 'InternalIP', address: nodeAddress(index) },
      { type: 'Hostname', address: name },
    ],
    nodeInfo: {
      // Clients refuse a Node where one of these is empty.
      machineID: name,
      systemUUID: name,
      bootID: name,
      kernelVersion: 'fake',
      osImage: 'fake',
      containerRuntimeVersion: 'fake://1',
      kubeletVersion: 'v0.1.0',
      kubeProxyVersion: 'v0.1.0',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  }
}

export const isReady = ({ status }: Stored<Node>): boolean =>
  status.conditions?.some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  ) === true

/** The node controller gave it up. */
export const isUnheard = ({ status }: Stored<Node>): boolean =>
  status.conditions?.some(
    (condition) => condition.type === 'Ready' && condition.status === 'Unknown',
  ) === true

export const fakeLease = (node: Stored<Node>, spec: Lease['spec']): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name: node.metadata.name,
    namespace: leaseNamespace,
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid },
    ],
  },
  spec,
})
