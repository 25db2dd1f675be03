// Quotas of a namespace: what a request would add is counted into status.used by compare-and-swap before the object is stored, so that
// several at once cannot take more than there is. When it does not fit, what is really there is counted again first: objects may have
// gone, or have been charged and then not been made.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../../resources/quantity.ts'
import {
  matchesScopes,
  nothing,
  type QuotaUsage,
  unspecified,
  usageOfObject,
  usageText,
} from '../../resources/quota/quota-usage.ts'
import type { ResourceQuota } from '../../resources/quota/resource-quota.ts'
import { systemUser } from '../access/user.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { isPods } from './pod-requests.ts'

/** Kinds whose updates may use more. */
const growing = new Set(['services', 'persistentvolumeclaims'])
/** How long a charge counts although its object is not in the cache: it may be under way. */
const pendingMs = 5_000
const systemWrite = { user: systemUser, dryRun: false, fieldManager: 'resourcequota' }

interface Pending {
  readonly key: string
  readonly plural: string
  readonly usage: QuotaUsage
  readonly atMs: number
}

export class ResourceQuotas implements AdmissionPlugin {
  readonly name = 'ResourceQuota'
  readonly #quotas: () => Registry | undefined
  readonly #namespaced: () => readonly Registry[]
  readonly #now: () => number
  /** By namespace: one request after the other, so that they do not take turns in failing. */
  readonly #turns = new Map<string, Promise<void>>()
  #pending: Pending[] = []

  constructor(options: {
    readonly quotas: () => Registry | undefined
    /** All kinds of objects in namespaces. */
    readonly namespaced: () => readonly Registry[]
    readonly now: () => number
  }) {
    this.#quotas = options.quotas
    this.#namespaced = options.namespaced
    this.#now = options.now
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    if (!type.namespaced || subresource !== '') return false
    return (
      operation === 'CREATE' ||
      operation === 'DELETE' ||
      (operation === 'UPDATE' && type.group === '' && growing.has(type.plural))
    )
  }

  validate(request: AdmissionRequest): Promise<void> | void {
    const registry = this.#quotas()
    const { namespace = '', user, operation } = request
    if (registry === undefined || registry.cache.count(`${namespace}/`) === 0) return undefined
    // What the system itself makes in a namespace is counted with the rest and never refused.
    if (user.name === systemUser.name) return undefined
    if (operation === 'DELETE') {
      this.#forget(request)
      return undefined
    }
    return this.#inTurn(namespace, () => this.#charge(registry, request))
  }

  async #inTurn(namespace: string, charge: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(namespace)
    let finish = (): void => undefined
    const turn = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#turns.set(namespace, turn)
    try {
      await before
      await charge()
    } finally {
      finish()
      if (this.#turns.get(namespace) === turn) this.#turns.delete(namespace)
    }
  }

  async #charge(registry: Registry, request: AdmissionRequest): Promise<void> {
    const { type, object, oldObject, namespace = '' } = request
    const added = difference(
      usageOfObject(type, object),
      oldObject && usageOfObject(type, oldObject),
    )
    for (const stored of registry.cache.list(`${namespace}/`)) {
      const quota = stored.object as KubeObject as ResourceQuota
      const hard = quota.spec.hard ?? {}
      const names = Object.keys(hard).filter((name) => added.has(name))
      if (!matchesScopes(quota, type, object)) continue
      if (isPods(type)) checkSpecified(request, quota, object)
      if (names.length > 0) await this.#chargeOne(registry, request, quota, added)
    }
    this.#remember({
      key: `${namespace}/${request.name}`,
      plural: type.plural,
      usage: added,
      atMs: this.#now(),
    })
  }

  async #chargeOne(
    registry: Registry,
    request: AdmissionRequest,
    { metadata }: ResourceQuota,
    added: QuotaUsage,
  ): Promise<void> {
    const { name = '', namespace } = metadata
    const write = { ...systemWrite, dryRun: request.dryRun }
    await registry.swap({ namespace, name }, write, (current) => {
      const quota = current as KubeObject as ResourceQuota
      const isCounted = quota.status?.hard !== undefined
      let used = isCounted ? usedOf(quota) : this.#count(quota)
      const names = Object.keys(quota.spec.hard ?? {}).filter((one) => added.has(one))
      if (exceeded(quota, used, added, names).length > 0 && isCounted) used = this.#count(quota)
      const over = exceeded(quota, used, added, names)
      if (over.length > 0) throw refuse(request, quota, { used, added, over })
      const next: [string, string][] = Object.keys(quota.spec.hard ?? {}).map((one) => [
        one,
        formatQuantity(sum(used.get(one), added.get(one))),
      ])
      const status = { hard: quota.spec.hard ?? {}, used: Object.fromEntries(next) }
      return { object: { ...current, status } as KubeObject }
    })
  }

  /** What is there, and what was charged so lately that it may not be there yet. */
  #count(quota: ResourceQuota): Map<string, Quantity> {
    const { namespace = '' } = quota.metadata
    const used = new Map<string, Quantity>()
    const add = (usage: QuotaUsage): void => {
      for (const [name, quantity] of usage) used.set(name, sum(used.get(name), quantity))
    }
    const seen = new Set<string>()
    for (const { type, cache } of this.#namespaced()) {
      for (const stored of cache.list(`${namespace}/`)) {
        if (!matchesScopes(quota, type, stored.object)) continue
        add(usageOfObject(type, stored.object))
        seen.add(`${type.plural} ${stored.key}`)
      }
    }
    for (const { key, plural, usage } of this.#pending) {
      if (key.startsWith(`${namespace}/`) && !seen.has(`${plural} ${key}`)) add(usage)
    }
    return used
  }

  #forget({ namespace = '', name, type }: AdmissionRequest): void {
    const key = `${namespace}/${name}`
    this.#pending = this.#pending.filter((one) => one.key !== key || one.plural !== type.plural)
  }

  #remember(charge: Pending): void {
    const oldest = charge.atMs - pendingMs
    this.#pending = this.#pending.filter(({ atMs }) => atMs > oldest)
    this.#pending.push(charge)
  }
}

const sum = (a: Quantity | undefined, b: Quantity | undefined): Quantity =>
  a === undefined ? (b ?? nothing) : addQuantities(a, b ?? { ...nothing, format: a.format })

const usedOf = ({ status }: ResourceQuota): Map<string, Quantity> =>
  new Map(
    Object.entries(status?.used ?? {}).map(([name, text]) => [
      name,
      parseQuantity(text) ?? nothing,
    ]),
  )

/** What is more than before. */
const difference = (usage: QuotaUsage, before: QuotaUsage | undefined): QuotaUsage => {
  if (before === undefined) return usage
  const added = new Map<string, Quantity>()
  for (const [name, quantity] of usage) {
    const more = subtractQuantities(
      quantity,
      before.get(name) ?? { ...nothing, format: quantity.format },
    )
    if (more.value > 0n) added.set(name, more)
  }
  return added
}

const exceeded = (
  { spec }: ResourceQuota,
  used: QuotaUsage,
  added: QuotaUsage,
  names: readonly string[],
): string[] =>
  names.filter((name) => {
    const hard = parseQuantity(spec.hard?.[name] ?? '') ?? nothing
    const more = added.get(name) ?? nothing
    return more.value > 0n && compareQuantities(sum(used.get(name), more), hard) > 0
  })

const checkSpecified = (request: AdmissionRequest, quota: ResourceQuota, pod: KubeObject): void => {
  const missing = unspecified(quota, (pod as KubeObject & { readonly spec: PodSpec }).spec)
  if (missing.size === 0) return
  const text = [...missing]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, containers]) => `${name} for: ${containers.toSorted().join(',')}`)
    .join('; ')
  throw forbiddenBy(request, `failed quota: ${quota.metadata.name ?? ''}: must specify ${text}`)
}

const refuse = (
  request: AdmissionRequest,
  quota: ResourceQuota,
  { used, added, over }: { used: QuotaUsage; added: QuotaUsage; over: readonly string[] },
): Error => {
  const hard = new Map(
    over.map((name) => [name, parseQuantity(quota.spec.hard?.[name] ?? '') ?? nothing] as const),
  )
  return forbiddenBy(
    request,
    `exceeded quota: ${quota.metadata.name ?? ''}, requested: ${usageText(added, over)}, used: ${usageText(used, over)}, limited: ${usageText(hard, over)}`,
  )
}

const forbiddenBy = ({ type, name }: AdmissionRequest, why: string): Error =>
  forbidden({ group: type.group, resource: type.plural }, name, why)
