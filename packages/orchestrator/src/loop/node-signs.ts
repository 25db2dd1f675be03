// When each node's agent last gave a sign of life, by our own clock: the clocks of other machines do not matter, only that a lease changed.
import type { SharedCache } from './controller.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Lease } from '../resources/lease.ts'

const leaseNamespace = 'kube-node-lease'

export class NodeSigns {
  readonly #leases: SharedCache<Lease>
  readonly #seen = new Map<string, { renewTime: string | undefined; atMs: number }>()

  /** `now`: epoch milliseconds. */
  constructor(leases: SharedCache<Lease>, now: () => number) {
    this.#leases = leases
    leases.onChange((_key, current, previous) => {
      const lease = current ?? previous
      if (lease === undefined || !NodeSigns.isOfNode(lease)) return
      if (current === undefined) this.#seen.delete(lease.metadata.name)
      else this.seenAtMs(lease.metadata.name, now())
    })
  }

  static isOfNode(lease: KubeObject): boolean {
    return lease.metadata.namespace === leaseNamespace
  }

  /** How long the node's lease holds; 0 without one. */
  leaseMs(node: string): number {
    const lease = this.#leases.get(`${leaseNamespace}/${node}`)
    return (lease?.spec.leaseDurationSeconds ?? 0) * 1000
  }

  /** A node that is seen for the first time has just given a sign. */
  seenAtMs(node: string, nowMs: number): number {
    const renewTime = this.#leases.get(`${leaseNamespace}/${node}`)?.spec.renewTime
    const known = this.#seen.get(node)
    if (known !== undefined && known.renewTime === renewTime) return known.atMs
    this.#seen.set(node, { renewTime, atMs: nowMs })
    return nowMs
  }
}
