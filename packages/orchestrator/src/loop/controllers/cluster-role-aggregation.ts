// ClusterRoles that are put together from others by their labels follow those.
import { objectKey } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { aggregatedRules, clusterRoleType } from '../../resources/rbac/role.ts'
import { watchOf } from '../controller-loop.ts'
import type { Controller } from '../controller.ts'

export const clusterRoleAggregation: Controller = {
  name: 'clusterrole-aggregation-controller',
  connect: ({ informers }) => {
    const roles = informers.of(clusterRoleType)
    const isAggregated = ['aggregated']
    roles.addIndex('aggregated', (role) => (role.aggregationRule === undefined ? [] : isAggregated))
    return {
      // Any role may be part of any aggregated one, or was.
      watches: [watchOf(roles, () => roles.find('aggregated', 'aggregated').map(objectKey))],
      reconcile: (key) => {
        const role = roles.get(key)
        if (role?.aggregationRule === undefined) return nothing
        const rules = aggregatedRules(role, roles.list())
        if (jsonEqual(rules, role.rules ?? [])) return nothing
        return { actions: [{ type: 'update', ref: clusterRoleType, object: { ...role, rules } }] }
      },
    }
  },
}
