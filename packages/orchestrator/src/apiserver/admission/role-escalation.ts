// Nobody gives away rights that he has not: who writes a role must have all that it allows, or the verb `escalate` on it; who binds one
// must have all that it allows, or the verb `bind` on it.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { ResourceType } from '../../resources/object.ts'
import { goList, rbacGroup, type PolicyRule, ruleText } from '../../resources/rbac/policy-rule.ts'
import type { ClusterRole } from '../../resources/rbac/role.ts'
import type { RoleBinding } from '../../resources/rbac/role-binding.ts'
import { uncoveredRules } from '../../resources/rbac/rule-coverage.ts'
import type { RbacAuthorizer } from '../access/rbac/rbac-authorizer.ts'
import { isMaster } from '../access/user.ts'
import { forbidden, notFound } from '../api-errors.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export class RoleEscalation implements AdmissionPlugin {
  readonly name = 'RoleEscalation'
  readonly #rbac: () => RbacAuthorizer

  constructor(rbac: () => RbacAuthorizer) {
    this.#rbac = rbac
  }

  handles(operation: AdmissionOperation, type: ResourceType): boolean {
    return type.group === rbacGroup && (operation === 'CREATE' || operation === 'UPDATE')
  }

  validate(request: AdmissionRequest): void {
    if (isMaster(request.user)) return
    if (request.type.kind.endsWith('Binding')) this.#validateBinding(request)
    else this.#validateRole(request)
  }

  #validateRole(request: AdmissionRequest): void {
    const role = request.object as ClusterRole
    const old = request.oldObject as ClusterRole | undefined
    const isSame =
      old !== undefined &&
      jsonEqual(role.rules ?? [], old.rules ?? []) &&
      jsonEqual(role.aggregationRule, old.aggregationRule)
    if (isSame || this.#may(request, 'escalate', request.type.plural, request.name)) return
    this.#check(request, role.rules ?? [])
    // Whoever labels a role later gives its rules to those who have the aggregated one.
    if (
      role.aggregationRule !== undefined &&
      !jsonEqual(role.aggregationRule, old?.aggregationRule)
    ) {
      const { rules } = this.#rbac().rulesOf(request.user, '')
      if (uncoveredRules(rules, everything).length > 0) {
        throw this.#refuse(request, 'must have cluster-admin privileges to use an aggregationRule')
      }
    }
  }

  #validateBinding(request: AdmissionRequest): void {
    const { roleRef, subjects } = request.object as RoleBinding
    const old = request.oldObject as RoleBinding | undefined
    const isSame =
      old !== undefined && jsonEqual(roleRef, old.roleRef) && jsonEqual(subjects, old.subjects)
    const plural = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
    if (isSame || this.#may(request, 'bind', plural, roleRef.name)) return
    const rules = this.#rbac().rulesOfRole(roleRef, request.namespace ?? '')
    if (rules === undefined) throw notFound({ group: rbacGroup, resource: plural }, roleRef.name)
    this.#check(request, rules)
  }

  #may(
    { user, namespace = '' }: AdmissionRequest,
    verb: string,
    resource: string,
    name: string,
  ): boolean {
    const attributes = { user, verb, resource, namespace, name, group: rbacGroup }
    const rest = { isResource: true, path: '', version: 'v1', subresource: '' }
    return this.#rbac().authorize({ ...attributes, ...rest }).allowed
  }

  #check(request: AdmissionRequest, wanted: readonly PolicyRule[]): void {
    const { user, namespace = '' } = request
    const { rules, problems } = this.#rbac().rulesOf(user, namespace)
    const missing = uncoveredRules(rules, wanted)
    if (missing.length === 0) return
    const trouble = problems.length === 0 ? '' : `; resolution errors: [${problems.join(', ')}]`
    const texts = missing.map(ruleText).toSorted().join('\n')
    throw this.#refuse(
      request,
      `user ${JSON.stringify(user.name)} (groups=${goList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${texts}${trouble}`,
    )
  }

  #refuse({ type, name }: AdmissionRequest, why: string): Error {
    return forbidden({ group: type.group, resource: type.plural }, name, why)
  }
}
