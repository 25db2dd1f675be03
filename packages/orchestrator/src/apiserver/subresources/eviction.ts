// POST pods/NAME/eviction: a deletion that a disruption budget may refuse. What a budget allows is counted down in its status by
// compare-and-swap before the pod is deleted, so that two evictions at a time cannot both take the last one.
import { ApiError } from '../../client/api-client.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Json, KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { PodDisruptionBudget } from '../../resources/workloads/pod-disruption-budget.ts'
import { badRequest, forbidden, internalError, methodNotAllowed } from '../api-errors.ts'
import { timestamp } from '../registry/object-metadata.ts'
import type { Registry } from '../registry/registry.ts'
import type { DeleteOptions } from '../registry/request-options.ts'
import { filterOf } from '../registry/selection.ts'
import { deleteOptionsOf } from '../wire/delete-options.ts'
import { sendValue } from '../wire/replies.ts'
import { readObject } from '../wire/request-body.ts'
import type { SubresourceRequest } from './subresource-table.ts'

export const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' }

type StoredBudget = Stored<PodDisruptionBudget>

/** More pods than this on their way out: the budget's controller is far behind. */
const disruptedPodsMax = 2000
const budgets = { group: 'policy', resource: 'poddisruptionbudgets' }

export const handleEviction = async (request: SubresourceRequest): Promise<void> => {
  const { exchange, registry, place, registries } = request
  if (exchange.method !== 'POST') throw methodNotAllowed()
  const sent = readObject(exchange)
  const options = deleteOptionsOf(exchange, deleteOptionsSent(sent, place.name))
  const { namespace = '', name } = place
  const object = {
    ...(sent as object | undefined),
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
  }
  const write = { operation: 'CREATE', subresource: 'eviction', oldObject: undefined } as const
  await registry.admit({ ...write, place, object, options })
  const pod = (await registry.get(place)).object as Stored<Pod>
  const precondition = { ...options, uid: options.uid ?? pod.metadata.uid }
  if (!isOver(pod)) await takeFromBudget(request, pod, precondition, registries.now())
  await registry.delete(place, precondition)
  sendValue(exchange, 201, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    code: 201,
  })
}

const deleteOptionsSent = (sent: Json | undefined, name: string): Json | undefined => {
  if (sent === undefined) return undefined
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    throw badRequest('the request body is no Eviction')
  }
  const { metadata, deleteOptions } = sent as { metadata?: { name?: Json }; deleteOptions?: Json }
  const sentName = metadata?.name ?? ''
  if (sentName !== '' && sentName !== name) {
    throw badRequest('name in URL does not match name in Eviction object')
  }
  return deleteOptions
}

/** Pods that do no work any more, or none yet, disturb nobody when they go. */
const isOver = ({ metadata, status }: Stored<Pod>): boolean =>
  metadata.deletionTimestamp !== undefined ||
  status.phase === 'Succeeded' ||
  status.phase === 'Failed' ||
  status.phase === 'Pending'

const takeFromBudget = async (
  { registries }: SubresourceRequest,
  pod: Stored<Pod>,
  options: DeleteOptions,
  nowMs: number,
): Promise<void> => {
  const plural = budgets.resource
  const registry = registries.find({ group: budgets.group, version: 'v1', plural })
  const found = registry === undefined ? [] : await budgetsOf(registry, pod)
  const [budget, other] = found
  if (registry === undefined || budget === undefined) return
  if (other !== undefined) {
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  }
  const { name, namespace } = budget.metadata
  await registry.changeStatus(
    { namespace, name },
    (current) => afterEviction(current as StoredBudget, pod, nowMs),
    options,
  )
}

const budgetsOf = async (registry: Registry, pod: Stored<Pod>): Promise<StoredBudget[]> => {
  const { namespace, labels } = pod.metadata
  const filter = filterOf(registry.type, { namespace, labelSelector: '', fieldSelector: '' })
  const all = { limit: 0, continue: '', resourceVersion: '', resourceVersionMatch: '' }
  const page = await registry.list(filter, all)
  return page.items
    .map(({ object }) => object as StoredBudget)
    .filter(({ spec }) => spec.selector !== undefined && matchesSelector(spec.selector, labels))
}

/** The budget with one disruption less. Throws ApiError TooManyRequests where it has none left. */
const afterEviction = (budget: StoredBudget, pod: Stored<Pod>, nowMs: number): KubeObject => {
  const { metadata, status } = budget
  if (isUncounted(budget, pod)) return budget
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw tooManyRequests(
      `The disruption budget ${metadata.name} is still being processed by the server.`,
    )
  }
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax) {
    throw forbidden(
      budgets,
      metadata.name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    )
  }
  if (status.disruptionsAllowed <= 0) {
    throw tooManyRequests(
      `The disruption budget ${metadata.name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
    )
  }
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: status.disruptionsAllowed - 1,
      disruptedPods: { ...status.disruptedPods, [pod.metadata.name]: timestamp(nowMs) },
    },
  } as KubeObject
}

/** A pod that is not ready counts for nothing, unless the budget says that it may become so. */
const isUncounted = ({ spec, status }: StoredBudget, pod: Stored<Pod>): boolean => {
  const ready = pod.status.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy
}

const tooManyRequests = (message: string): ApiError =>
  new ApiError(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    { causes: [{ reason: 'DisruptionBudget', message }] },
  )
