// ResourceQuota: counts again what is there. Admission counts up as objects come; this counts down after they went, and makes the first count
// of a new quota. What is missing may still be on its way into the caches, so a count goes down only after a while without a charge.
import { jsonEqual } from '../resources/json-equal.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
} from '../resources/quantity.ts'
import { matchesScopes, nothing as none, usageOfObject } from '../resources/quota/quota-usage.ts'
import { type ResourceQuota, resourceQuotaType } from '../resources/quota/resource-quota.ts'
import { type CollectionRef, nothing, type Reconciliation } from './action.ts'

export interface ResourceQuotaView {
  readonly quota: Stored<ResourceQuota> | undefined
  /** Of the quota's namespace. */
  readonly objects: Iterable<{ readonly ref: CollectionRef; readonly object: Stored<KubeObject> }>
  /** How long the quota has been as it is. */
  readonly restedMs: number
}

/** As long as admission remembers a charge whose object it has not seen. */
export const quotaRestMs = 5_000

export function reconcileResourceQuota(view: ResourceQuotaView): Reconciliation {
  const { quota, objects, restedMs } = view
  if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return nothing
  const hard = quota.spec.hard ?? {}
  const counted = new Map<string, Quantity>()
  for (const { ref, object } of objects) {
    if (!matchesScopes(quota, ref, object)) continue
    for (const [name, quantity] of usageOfObject(ref, object)) {
      const before = counted.get(name)
      counted.set(name, before === undefined ? quantity : addQuantities(before, quantity))
    }
  }
  const before = quota.status?.used ?? {}
  const isNew = quota.status?.hard === undefined
  let isLower = false
  const used = Object.fromEntries(
    Object.keys(hard).map((name) => {
      const quantity = counted.get(name) ?? none
      const charged = parseQuantity(before[name] ?? '')
      isLower ||= charged !== undefined && compareQuantities(quantity, charged) < 0
      return [name, formatQuantity(quantity)]
    }),
  )
  const status = { hard, used }
  if (jsonEqual(status, quota.status ?? {})) return nothing
  if (isLower && !isNew && restedMs < quotaRestMs) {
    return { actions: [], requeueAfterMs: quotaRestMs - restedMs }
  }
  const object: ResourceQuota = { ...quota, status }
  return { actions: [{ type: 'update', ref: resourceQuotaType, object, subresource: 'status' }] }
}
