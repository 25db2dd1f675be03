// Which changes concern which quota: those of every object in its namespace.
import { objectKey, splitKey } from '../../client/object-cache.ts'
import type { CollectionRef } from '../../controllers/action.ts'
import { reconcileResourceQuota } from '../../controllers/resource-quota.ts'
import { eventType } from '../../resources/event.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { resourceQuotaType } from '../../resources/quota/resource-quota.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  connect: ({ informers, kinds }) => {
    const quotas = informers.of(resourceQuotaType)
    const counted = kinds
      .list()
      .filter(
        (type) =>
          type.namespaced &&
          type.custom === undefined &&
          type.plural !== eventType.plural &&
          type.verbs.includes('watch'),
      )
      .map((type) => ({ ref: type as CollectionRef, cache: informers.of<KubeObject>(type) }))
    const quotasOf = ({ metadata }: Stored<KubeObject>): string[] =>
      quotas.find('namespace', metadata.namespace ?? '').map(objectKey)
    /** Since when each quota is as it is; those that are gone are left out when there are too many. */
    const seen = new Map<string, { readonly resourceVersion: string; readonly atMs: number }>()
    const restedMs = (key: string, resourceVersion: string, nowMs: number): number => {
      const known = seen.get(key)
      if (known?.resourceVersion === resourceVersion) return nowMs - known.atMs
      if (seen.size > quotas.list().length * 2) seen.clear()
      seen.set(key, { resourceVersion, atMs: nowMs })
      return 0
    }
    return {
      watches: [watchOf(quotas, ownKey), ...counted.map(({ cache }) => watchOf(cache, quotasOf))],
      reconcile: (key, nowMs) => {
        const quota = quotas.get(key)
        const { namespace = '' } = splitKey(key)
        const objects = counted.flatMap(({ ref, cache }) =>
          cache.find('namespace', namespace).map((object) => ({ ref, object })),
        )
        const version = quota?.metadata.resourceVersion ?? ''
        return reconcileResourceQuota({ quota, objects, restedMs: restedMs(key, version, nowMs) })
      },
    }
  },
}
