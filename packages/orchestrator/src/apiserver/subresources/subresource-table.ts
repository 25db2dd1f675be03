// Which subresources a kind has: what discovery lists and what is answered. Status and scale follow from the kind's own data; all others
// are a line of the table, with the function that answers.
import type { ResourceType } from '../../resources/object.ts'
import type { AccessControl } from '../access/access-control.ts'
import type { NodeConnections } from '../node-connections.ts'
import type { Registries } from '../registry/registries.ts'
import type { Place, Registry } from '../registry/registry.ts'
import type { Exchange } from '../wire/exchange.ts'
import { handleLog } from '../wire/log-handler.ts'
import type { ResourcePath } from '../wire/request-path.ts'
import { evictionKind, handleEviction } from './eviction.ts'
import { handleNodeProxy } from './node-proxy.ts'
import { handlePortForward } from './port-forward.ts'
import { handlePodProxy, handleServiceProxy } from './proxy.ts'
import { handleAttach, handleExec } from './remote-command.ts'
import { scaleKind } from './scale.ts'
import { handleToken, tokenRequestKind } from './service-account-token.ts'

export interface SubresourceRequest {
  readonly exchange: Exchange
  readonly path: ResourcePath
  /** Of the parent's kind. */
  readonly registry: Registry
  /** Of the parent. */
  readonly place: Place
  readonly registries: Registries
  readonly nodes: NodeConnections
  readonly access: AccessControl
}

export interface Subresource {
  readonly name: string
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly verbs: readonly string[]
  /** Left out: one of those that the resource handlers themselves answer. */
  readonly handle?: (request: SubresourceRequest) => Promise<void>
}

interface Row extends Subresource {
  /** Of the parent. */
  readonly group: string
  readonly plural: string
}

const core = (kind: string): Subresource['kind'] => ({ group: '', version: 'v1', kind })
const pods = { group: '', plural: 'pods' }
const connect = ['create', 'get']
const anyMethod = ['create', 'delete', 'get', 'patch', 'update']
const readWrite = ['get', 'patch', 'update']

const rows: readonly Row[] = [
  {
    group: '',
    plural: 'namespaces',
    name: 'finalize',
    kind: core('Namespace'),
    verbs: ['update'],
  },
  {
    group: '',
    plural: 'serviceaccounts',
    name: 'token',
    kind: tokenRequestKind,
    verbs: ['create'],
    handle: handleToken,
  },
  {
    group: 'certificates.k8s.io',
    plural: 'certificatesigningrequests',
    name: 'approval',
    kind: { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' },
    verbs: readWrite,
  },
  { ...pods, name: 'binding', kind: core('Binding'), verbs: ['create'] },
  { ...pods, name: 'eviction', kind: evictionKind, verbs: ['create'], handle: handleEviction },
  { ...pods, name: 'exec', kind: core('PodExecOptions'), verbs: connect, handle: handleExec },
  { ...pods, name: 'attach', kind: core('PodAttachOptions'), verbs: connect, handle: handleAttach },
  {
    ...pods,
    name: 'portforward',
    kind: core('PodPortForwardOptions'),
    verbs: connect,
    handle: handlePortForward,
  },
  {
    ...pods,
    name: 'proxy',
    kind: core('PodProxyOptions'),
    verbs: anyMethod,
    handle: handlePodProxy,
  },
  {
    group: '',
    plural: 'services',
    name: 'proxy',
    kind: core('ServiceProxyOptions'),
    verbs: anyMethod,
    handle: handleServiceProxy,
  },
  {
    group: '',
    plural: 'nodes',
    name: 'proxy',
    kind: core('NodeProxyOptions'),
    verbs: anyMethod,
    handle: handleNodeProxy,
  },
  { ...pods, name: 'ephemeralcontainers', kind: core('Pod'), verbs: readWrite },
  { ...pods, name: 'resize', kind: core('Pod'), verbs: readWrite },
  { ...pods, name: 'log', kind: core('Pod'), verbs: ['get'], handle: handleLog },
]

export const subresourcesOf = (
  type: Pick<ResourceType, 'group' | 'version' | 'kind' | 'plural'> & {
    readonly subresources: { readonly status?: unknown; readonly scale?: unknown }
  },
): readonly Subresource[] => {
  const { group, version, kind, plural, subresources } = type
  const own: Subresource[] = []
  if (subresources.status === true) {
    own.push({ name: 'status', kind: { group, version, kind }, verbs: readWrite })
  }
  if (subresources.scale !== undefined) {
    own.push({ name: 'scale', kind: scaleKind, verbs: readWrite })
  }
  return [...own, ...rows.filter((row) => row.group === group && row.plural === plural)]
}

export const findSubresource = (type: ResourceType, name: string): Subresource | undefined =>
  subresourcesOf(type).find((subresource) => subresource.name === name)
