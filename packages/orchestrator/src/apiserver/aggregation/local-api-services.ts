// Keeps an APIService for every group version that this server answers for itself, by upstream's rules: one that is built in is made at
// the start and then left alone, one of a kind that users bring comes and goes with it. Whoever points one at a service keeps it.
import type { ApiClient } from '../../client/api-client.ts'
import { isApiError } from '../../client/is-api-error.ts'
import {
  type ApiService,
  apiServiceName,
  apiServiceType,
} from '../../resources/aggregation/api-service.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Registries } from '../registry/registries.ts'
import { priorityOf } from './group-priorities.ts'

/** Says that the system keeps an APIService, and how: `onstart` or `true`, which is always. */
export const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged'

export interface GroupVersion {
  readonly group: string
  readonly version: string
}

/** Groups that are made to be taken over: what was there before comes back. */
const replaceableGroups = new Set(['metrics.k8s.io'])

/** The APIServices that should be there, by name. `virtual`: group versions without stored kinds. */
export const localApiServices = (
  registries: Pick<Registries, 'types'>,
  virtual: readonly GroupVersion[],
): ReadonlyMap<string, ApiService> => {
  const wanted = new Map<string, ApiService>()
  const add = ({ group, version }: GroupVersion, isCustom: boolean): void => {
    // Upstream's aggregator does not speak of itself.
    if (group === apiServiceType.group) return
    const name = apiServiceName({ group, version })
    if (!wanted.has(name)) wanted.set(name, localApiService({ group, version }, isCustom))
  }
  for (const type of registries.types) add(type, type.custom !== undefined)
  for (const one of virtual) add(one, false)
  return wanted
}

const localApiService = ({ group, version }: GroupVersion, isCustom: boolean): ApiService => {
  const priority = priorityOf(group, version, isCustom)
  const isAlways = isCustom || replaceableGroups.has(group)
  return {
    apiVersion: `${apiServiceType.group}/${apiServiceType.version}`,
    kind: apiServiceType.kind,
    metadata: {
      name: apiServiceName({ group, version }),
      labels: { [automanagedLabel]: isAlways ? 'true' : 'onstart' },
    },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: priority.group,
      versionPriority: priority.version,
    },
    status: {},
  }
}

/** What to do about the APIService of one name. Pure; `isStart`: it is looked at for the first time. */
export const localApiServiceAction = (
  current: Stored<ApiService> | undefined,
  wanted: ApiService | undefined,
  isStart: boolean,
): 'create' | 'update' | 'delete' | undefined => {
  const isOnce = (one: KubeObject | undefined): boolean =>
    one?.metadata.labels?.[automanagedLabel] === 'onstart'
  if (isOnce(wanted) && !isStart) return undefined
  if (current === undefined) return wanted === undefined ? undefined : 'create'
  const label = current.metadata.labels?.[automanagedLabel]
  if (label !== 'true' && label !== 'onstart') return undefined
  if (current.spec.service !== undefined) return undefined
  if (wanted === undefined) return isOnce(current) && !isStart ? undefined : 'delete'
  return jsonEqual(current.spec, wanted.spec) ? undefined : 'update'
}

/** Carries the action out; what another server did meanwhile is as good. */
export const applyLocalApiService = async (
  client: ApiClient,
  current: Stored<ApiService> | undefined,
  { wanted, isStart }: { readonly wanted: ApiService | undefined; readonly isStart: boolean },
): Promise<void> => {
  try {
    switch (localApiServiceAction(current, wanted, isStart)) {
      case 'create':
        if (wanted !== undefined) await client.create<KubeObject>(apiServiceType, wanted)
        return
      case 'update':
        if (wanted !== undefined && current !== undefined) {
          await client.update<KubeObject>(apiServiceType, {
            ...current,
            spec: wanted.spec,
          } as KubeObject)
        }
        return
      case 'delete':
        if (current !== undefined)
          await client.delete(apiServiceType, undefined, current.metadata.name)
        return
      case undefined:
    }
  } catch (reason) {
    if (!isApiError(reason, 409) && !isApiError(reason, 404)) throw reason
  }
}
