// At every start: the bootstrap roles and bindings are there, with at least the rules and subjects they should have. What an
// administrator added stays; who wants to change one for good sets its annotation autoupdate to "false".
import type { ApiClient, ResourceRef } from '../../../client/api-client.ts'
import { createUnlessThere } from '../../../client/create-unless-there.ts'
import { isApiError } from '../../../client/is-api-error.ts'
import { jsonEqual } from '../../../resources/json-equal.ts'
import type { KubeObject, Stored } from '../../../resources/object.ts'
import { rbacGroup } from '../../../resources/rbac/policy-rule.ts'
import { aggregatedRules, type ClusterRole, type Role } from '../../../resources/rbac/role.ts'
import type { RoleBinding } from '../../../resources/rbac/role-binding.ts'
import { uncoveredRules } from '../../../resources/rbac/rule-coverage.ts'
import { bootstrapPolicy } from './bootstrap-policy.ts'

const ref = (plural: string): ResourceRef => ({ group: rbacGroup, version: 'v1', plural })
const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'

export const ensureBootstrapPolicy = async (client: ApiClient): Promise<void> => {
  const policy = bootstrapPolicy()
  const clusterRoles = withAggregation(policy.clusterRoles)
  await Promise.all([
    ...clusterRoles.map((role) => ensure(client, ref('clusterroles'), role, withRules)),
    ...policy.roles.map((role) => ensure(client, ref('roles'), role, withRules)),
  ])
  await Promise.all([
    ...policy.clusterRoleBindings.map((binding) =>
      ensure(client, ref('clusterrolebindings'), binding, withSubjects),
    ),
    ...policy.roleBindings.map((binding) =>
      ensure(client, ref('rolebindings'), binding, withSubjects),
    ),
  ])
}

/** Aggregated roles are complete from the start; a controller keeps them so. view is part of edit, edit of admin. */
const withAggregation = (roles: readonly ClusterRole[]): readonly ClusterRole[] =>
  roles.reduceRight<readonly ClusterRole[]>(
    (all, role) =>
      role.aggregationRule === undefined
        ? all
        : all.map((one) => (one === role ? { ...role, rules: aggregatedRules(role, all) } : one)),
    roles,
  )

/** `complete` returns `current` itself when it has all that `wanted` has. */
const ensure = async <T extends KubeObject>(
  client: ApiClient,
  resource: ResourceRef,
  wanted: T,
  complete: (current: Stored<T>, wanted: T) => Stored<T>,
): Promise<void> => {
  const { namespace, name = '' } = wanted.metadata
  try {
    const current = await client.get<T>(resource, namespace, name)
    if (current.metadata.annotations?.[autoupdate] !== 'true') return
    const completed = complete(current, wanted)
    if (completed !== current) await client.update(resource, completed)
  } catch (reason) {
    // Another server that starts at the same time writes the same.
    if (isApiError(reason, 409)) return
    if (!isApiError(reason, 404)) throw reason
    await createUnlessThere(client, resource, wanted)
  }
}

const withRules = <T extends Role>(current: Stored<T>, wanted: T): Stored<T> => {
  const present = current.rules ?? []
  // Comparing permission by permission is dear, and most roles are as they were made.
  const changed = (wanted.rules ?? []).filter(
    (rule) => !present.some((one) => jsonEqual(one, rule)),
  )
  const missing = changed.length === 0 ? [] : uncoveredRules(present, changed)
  return missing.length === 0
    ? current
    : { ...current, rules: [...(current.rules ?? []), ...missing] }
}

const withSubjects = (current: Stored<RoleBinding>, wanted: RoleBinding): Stored<RoleBinding> => {
  const present = current.subjects ?? []
  const missing = (wanted.subjects ?? []).filter(
    (subject) => !present.some((one) => jsonEqual(one, subject)),
  )
  return missing.length === 0 ? current : { ...current, subjects: [...present, ...missing] }
}
