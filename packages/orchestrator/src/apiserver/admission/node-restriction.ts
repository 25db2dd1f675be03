// A node may change itself and what runs on it, and nothing else: its own Node but not the labels that say where it may be used, status
// and deletion of its own pods, tokens for its own pods.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Node } from '../../resources/node.ts'
import type { TokenRequestSpec } from '../../client/token-request.ts'
import { nodeNameOf } from '../access/node/node-authorizer.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { AdmittedPod } from './pod-requests.ts'

const restricted = new Set([
  'pods',
  'nodes',
  'serviceaccounts',
  'leases',
  'csinodes',
  'persistentvolumeclaims',
])
/** Labels below these that a node may set on itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
])
const ownPrefixes = ['kubelet.kubernetes.io', 'node.kubernetes.io']

export class NodeRestriction implements AdmissionPlugin {
  readonly name = 'NodeRestriction'
  readonly #pods: () => Registry

  constructor(pods: () => Registry) {
    this.#pods = pods
  }

  handles(_operation: AdmissionOperation, type: ResourceType): boolean {
    return restricted.has(type.plural)
  }

  validate(request: AdmissionRequest): void {
    const node = nodeNameOf(request.user)
    if (node === undefined || request.operation === 'CONNECT') return
    switch (request.type.plural) {
      case 'pods':
        this.#validatePod(request, node)
        break
      case 'nodes':
        validateNode(request, node)
        break
      case 'serviceaccounts':
        this.#validateToken(request, node)
        break
      case 'persistentvolumeclaims':
        if (request.operation === 'UPDATE' && request.subresource === 'status') return
        throw refuse(request, `node ${JSON.stringify(node)} may only update PVC status`)
      default:
        validateOwnName(request, node)
    }
  }

  #validatePod(request: AdmissionRequest, node: string): void {
    const { operation, subresource, object, oldObject } = request
    const isOwn = (pod: KubeObject | undefined): boolean =>
      (pod as AdmittedPod | undefined)?.spec.nodeName === node
    if (subresource === 'eviction' || (operation === 'DELETE' && subresource === '')) {
      const key = `${request.namespace ?? ''}/${request.name}`
      if (!isOwn(oldObject ?? this.#pods().cache.get(key)?.object)) {
        throw refuse(
          request,
          `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`,
        )
      }
      return
    }
    if (operation === 'UPDATE' && subresource === 'status') {
      if (!isOwn(oldObject)) {
        throw refuse(
          request,
          `node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`,
        )
      }
      return
    }
    const mirror = object.metadata.annotations?.['kubernetes.io/config.mirror']
    if (operation !== 'CREATE' || subresource !== '' || mirror === undefined) {
      throw refuse(
        request,
        `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`,
      )
    }
    const created = object as AdmittedPod
    if (created.spec.nodeName !== node || (created.spec.serviceAccountName ?? '') !== '') {
      throw refuse(
        request,
        `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`,
      )
    }
  }

  #validateToken(request: AdmissionRequest, node: string): void {
    if (request.subresource !== 'token') return
    const { spec } = request.object as KubeObject & { readonly spec?: TokenRequestSpec }
    const bound = spec?.boundObjectRef
    if (bound?.kind !== 'Pod' || (bound.name ?? '') === '') {
      throw refuse(request, `node requested token not bound to a pod`)
    }
    const key = `${request.namespace ?? ''}/${bound.name ?? ''}`
    const pod = this.#pods().cache.get(key)?.object as AdmittedPod | undefined
    if (pod === undefined) throw refuse(request, `pod ${bound.name ?? ''} not found`)
    if ((bound.uid ?? '') === '') {
      throw refuse(request, 'node requested token with a pod binding without a uid')
    }
    if (pod.spec.nodeName !== node) {
      throw refuse(request, 'node requested token bound to a pod scheduled on a different node')
    }
  }
}

const refuse = ({ type, name }: AdmissionRequest, why: string): Error =>
  forbidden({ group: type.group, resource: type.plural }, name, why)

const validateOwnName = (request: AdmissionRequest, node: string): void => {
  if (request.operation === 'DELETE' || request.name === node) return
  const what = request.type.plural === 'leases' ? 'lease' : 'CSINode'
  throw refuse(request, `can only access node ${what} with the same name as the requesting node`)
}

const validateNode = (request: AdmissionRequest, node: string): void => {
  const { operation, name } = request
  if (name !== node) {
    throw refuse(
      request,
      `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`,
    )
  }
  if (operation === 'DELETE') {
    throw refuse(
      request,
      `node ${JSON.stringify(node)} is not allowed to delete node ${JSON.stringify(name)}`,
    )
  }
  const object = request.object as Node
  const old = request.oldObject as Node | undefined
  if (old !== undefined && !jsonEqual(object.spec.taints ?? [], old.spec.taints ?? [])) {
    throw refuse(request, `node ${JSON.stringify(node)} is not allowed to modify taints`)
  }
  const labels = object.metadata.labels ?? {}
  const before = old?.metadata.labels ?? {}
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(before)])].filter(
    (key) => labels[key] !== before[key],
  )
  const bad = changed.filter((key) => !mayLabel(key))
  if (bad.length > 0) {
    throw refuse(request, `is not allowed to modify labels: ${bad.toSorted().join(', ')}`)
  }
}

const mayLabel = (key: string): boolean => {
  const slash = key.indexOf('/')
  const prefix = slash === -1 ? '' : key.slice(0, slash)
  if (
    prefix === 'node-restriction.kubernetes.io' ||
    prefix.endsWith('.node-restriction.kubernetes.io')
  ) {
    return false
  }
  const isReserved = ['kubernetes.io', 'k8s.io'].some(
    (domain) => prefix === domain || prefix.endsWith(`.${domain}`),
  )
  if (!isReserved || ownLabels.has(key)) return true
  return ownPrefixes.some((own) => prefix === own || prefix.endsWith(`.${own}`))
}
