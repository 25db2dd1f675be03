// Node: a machine that runs pods. Its agent writes the status, the node lifecycle controller and `cordon` the taints.
import { ageColumn, column, nameColumn, orNone, wideColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { Condition, KubeObject, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import type { ResourceList } from './pod-spec/pod-spec.ts'
import { allVerbs, keepStatus } from './update-rules.ts'
import { validateNodeSpec } from './validation/validate-node.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

/** Where the node's agent keeps the folders of local volumes. */
export const volumesFolderAnnotation = 'balsa.dev/volumes-folder'

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
  readonly timeAdded?: string
}
export interface NodeSpec {
  readonly podCIDR?: string
  readonly podCIDRs?: readonly string[]
  readonly providerID?: string
  readonly unschedulable?: boolean
  readonly taints?: readonly Taint[]
}
export interface NodeSystemInfo {
  readonly machineID?: string
  readonly systemUUID?: string
  readonly bootID?: string
  readonly kernelVersion?: string
  readonly osImage?: string
  readonly containerRuntimeVersion?: string
  readonly kubeletVersion?: string
  readonly kubeProxyVersion?: string
  readonly operatingSystem?: string
  readonly architecture?: string
}
export interface NodeStatus {
  readonly capacity?: ResourceList
  readonly allocatable?: ResourceList
  readonly conditions?: readonly Condition[]
  readonly addresses?: readonly { readonly type: string; readonly address: string }[]
  readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port: number } }
  readonly nodeInfo?: NodeSystemInfo
  readonly images?: readonly { readonly names?: readonly string[]; readonly sizeBytes?: number }[]
  readonly volumesAttached?: readonly { readonly name: string; readonly devicePath: string }[]
}
export interface Node extends KubeObject {
  readonly spec: NodeSpec
  readonly status: NodeStatus
}

const rolePrefix = 'node-role.kubernetes.io/'

export const nodeType: ResourceType<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  // A node may register itself with its status in one request.
  prepareForCreate: (object) => ({ ...object, status: object.status ?? {} }),
  prepareForUpdate: keepStatus,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateNodeSpec(object.spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Status', 'The status of the node'),
    column('Roles', 'The roles of the node'),
    ageColumn,
    column('Version', 'Version of the agent running on the node.'),
    wideColumn('Internal-IP', 'Internal address of the node'),
    wideColumn('External-IP', 'External address of the node'),
    wideColumn('OS-Image', 'OS image reported by the node'),
    wideColumn('Kernel-Version', 'Kernel version reported by the node'),
    wideColumn('Container-Runtime', 'Runtime reported by the node'),
  ],
  cells: nodeCells,
  selectableFields: (object) => ({
    'spec.unschedulable': String(object.spec.unschedulable === true),
  }),
}

function nodeCells(node: Node, now: number): readonly string[] {
  const info = node.status.nodeInfo
  return [
    node.metadata.name ?? '',
    nodeStatusText(node),
    orNone(nodeRoles(node).join(',')),
    ageOf(node.metadata.creationTimestamp, now),
    info?.kubeletVersion ?? '',
    orNone(nodeAddress(node, 'InternalIP')),
    orNone(nodeAddress(node, 'ExternalIP')),
    info?.osImage ?? '<unknown>',
    info?.kernelVersion ?? '<unknown>',
    info?.containerRuntimeVersion ?? '<unknown>',
  ]
}

const nodeStatusText = (node: Node): string => {
  const ready = node.status.conditions?.find((condition) => condition.type === 'Ready')
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec.unschedulable === true ? `${text},SchedulingDisabled` : text
}

const nodeRoles = (node: Node): string[] =>
  Object.entries(node.metadata.labels ?? {})
    .flatMap(([key, value]) => {
      if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)]
      return key === 'kubernetes.io/role' && value !== '' ? [value] : []
    })
    .filter((role) => role !== '')
    .toSorted()

const nodeAddress = (node: Node, type: string): string | undefined =>
  node.status.addresses?.find((address) => address.type === type)?.address
