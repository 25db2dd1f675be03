// What nodes may do: all that their role says, but of secrets, config maps, claims, volumes and tokens only what pods on them name, and
// of leases only their own. Everybody else is none of its business.
import { isRelayPath, nodeOfTunnelPath } from '../../../network/tunnel/tunnel-protocol.ts'
import type { KubeObject } from '../../../resources/object.ts'
import { ExpiredError } from '../../api-errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { CacheCursor } from '../../storage/resource-cache.ts'
import type { StoredObject } from '../../storage/stored-object.ts'
import type { AccessAttributes, AccessDecision, Authorizer } from '../authorizer.ts'
import { bootstrapPolicy } from '../rbac/bootstrap-policy.ts'
import { compileRule, type RuleMatcher } from '../rbac/rule-matcher.ts'
import type { User } from '../user.ts'
import { podRefersTo, type ReferencedKind } from './pod-references.ts'

const nodePrefix = 'system:node:'
const nodesGroup = 'system:nodes'
const leaseNamespace = 'kube-node-lease'
const allowed: AccessDecision = { allowed: true, reason: '' }
const denied = (reason: string): AccessDecision => ({ allowed: false, reason })
const notOfNodes: AccessDecision = { allowed: false, reason: '' }

/** The node that `user` is; undefined: none. */
export const nodeNameOf = ({ name, groups }: User): string | undefined =>
  name.startsWith(nodePrefix) && name.length > nodePrefix.length && groups.includes(nodesGroup)
    ? name.slice(nodePrefix.length)
    : undefined

/** Kinds by which verbs a node may read them when a pod of its own names them. */
const referenced: Readonly<Record<string, readonly string[]>> = {
  secrets: ['get', 'list', 'watch'],
  configmaps: ['get', 'list', 'watch'],
  persistentvolumeclaims: ['get'],
}
const claimStatusVerbs = ['get', 'update', 'patch']

export class NodeAuthorizer implements Authorizer {
  readonly #core: (plural: string) => Registry
  readonly #rules: readonly RuleMatcher[]
  readonly #podsOf = new Map<string, Map<string, StoredObject>>()
  readonly #nodeOfPod = new Map<string, string>()
  #cursor: CacheCursor | undefined

  constructor(core: (plural: string) => Registry) {
    this.#core = core
    const role = bootstrapPolicy().clusterRoles.find(
      ({ metadata }) => metadata.name === 'system:node',
    )
    this.#rules = (role?.rules ?? []).map(compileRule)
  }

  authorize(attributes: AccessAttributes): AccessDecision {
    const node = nodeNameOf(attributes.user)
    if (node === undefined) return notOfNodes
    const { group, resource, subresource, verb } = attributes
    if (!attributes.isResource && verb === 'get' && nodeOfTunnelPath(attributes.path) === node)
      return allowed
    // As in any network of pods, nodes reach the pods of each other.
    if (!attributes.isResource && verb === 'get' && isRelayPath(attributes.path)) return allowed
    if (attributes.isResource && group === '') {
      const verbs = subresource === '' ? referenced[resource] : undefined
      if (verbs !== undefined) return this.#reading(attributes, node, verbs)
      if (resource === 'persistentvolumeclaims' && subresource === 'status') {
        return this.#reading(attributes, node, claimStatusVerbs)
      }
      if (resource === 'persistentvolumes') return this.#volume(attributes, node)
      if (resource === 'serviceaccounts' && subresource === 'token' && verb === 'create') {
        return this.#related(attributes, node, 'serviceaccounts')
      }
    }
    if (group === 'coordination.k8s.io' && resource === 'leases') return lease(attributes, node)
    return this.#rules.some((matches) => matches(attributes)) ? allowed : notOfNodes
  }

  close(): void {
    this.#cursor?.close()
    this.#cursor = undefined
  }

  #reading(attributes: AccessAttributes, node: string, verbs: readonly string[]): AccessDecision {
    const { verb, name, namespace, resource } = attributes
    if (!verbs.includes(verb)) return denied(`can only read resources of this type`)
    if (name === '') return denied(`No Object name found`)
    if (namespace === '') return denied('can only read namespaced object of this type')
    return this.#related(attributes, node, resource as ReferencedKind)
  }

  #related(
    { namespace, name }: AccessAttributes,
    node: string,
    kind: ReferencedKind,
  ): AccessDecision {
    this.#follow()
    for (const stored of this.#podsOf.get(node)?.values() ?? []) {
      if (
        stored.object.metadata.namespace === namespace &&
        podRefersTo(stored.object, kind, name)
      ) {
        return allowed
      }
    }
    return unrelated(node)
  }

  /** A volume is named by its claim, which a pod names. */
  #volume(attributes: AccessAttributes, node: string): AccessDecision {
    if (attributes.verb !== 'get') return denied('can only read resources of this type')
    const volume = this.#core('persistentvolumes').cache.get(attributes.name)?.object as
      | (KubeObject & { spec?: { claimRef?: { namespace?: string; name?: string } } })
      | undefined
    const { namespace = '', name = '' } = volume?.spec?.claimRef ?? {}
    if (name === '') return unrelated(node)
    return this.#related({ ...attributes, namespace, name }, node, 'persistentvolumeclaims')
  }

  #follow(): void {
    try {
      this.#drain()
    } catch (reason) {
      // The cache started again, or more has changed than it keeps.
      if (!(reason instanceof ExpiredError)) throw reason
      this.close()
      this.#drain()
    }
  }

  #drain(): void {
    if (this.#cursor === undefined) {
      this.#podsOf.clear()
      this.#nodeOfPod.clear()
      this.#cursor = this.#core('pods').watch({ keyPrefix: '' }, undefined)
    }
    for (let change = this.#cursor.next(); change !== undefined; change = this.#cursor.next()) {
      this.#setPod(change.object, change.type === 'DELETED')
    }
  }

  #setPod(stored: StoredObject, isGone: boolean): void {
    const before = this.#nodeOfPod.get(stored.key)
    if (before !== undefined) this.#podsOf.get(before)?.delete(stored.key)
    this.#nodeOfPod.delete(stored.key)
    const { spec } = stored.object as KubeObject & { spec?: { nodeName?: string } }
    const node = spec?.nodeName ?? ''
    if (isGone || node === '') return
    this.#nodeOfPod.set(stored.key, node)
    const pods = this.#podsOf.get(node)
    if (pods === undefined) this.#podsOf.set(node, new Map([[stored.key, stored]]))
    else pods.set(stored.key, stored)
  }
}

const unrelated = (node: string): AccessDecision =>
  denied(`no relationship found between node '${node}' and this object`)

const lease = ({ namespace, name, verb }: AccessAttributes, node: string): AccessDecision => {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) {
    return denied('can only get, create, update, patch, or delete a node lease')
  }
  if (namespace !== leaseNamespace)
    return denied(`can only access leases in the "${leaseNamespace}" system namespace`)
  return name === '' || name === node
    ? allowed
    : denied('can only access node lease with the same name as the requesting node')
}
