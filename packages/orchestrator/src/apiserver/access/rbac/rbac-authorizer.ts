// Role-based access: a request is allowed when any rule of any role bound to its user or groups allows it; nothing denies. Roles and
// bindings are read from the watch cache, so an answer takes microseconds and follows every change.
import type { PolicyRule } from '../../../resources/rbac/policy-rule.ts'
import type { RoleRef } from '../../../resources/rbac/role-binding.ts'
import { ExpiredError } from '../../api-errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { CacheCursor } from '../../storage/resource-cache.ts'
import type { AccessAttributes, AccessDecision, Authorizer } from '../authorizer.ts'
import { isMaster, type User } from '../user.ts'
import { type RbacKind, RoleIndex, roleKeyOf } from './role-index.ts'

/** What a user may do, as the rules review shows it. */
export interface UserRules {
  readonly rules: readonly PolicyRule[]
  /** Roles that are bound and do not exist. */
  readonly problems: readonly string[]
}

const kinds: readonly RbacKind[] = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings']
const allowed: AccessDecision = { allowed: true, reason: '' }
const denied: AccessDecision = { allowed: false, reason: '' }
/** What those of system:masters may do. */
const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export class RbacAuthorizer implements Authorizer {
  readonly #registry: (plural: RbacKind) => Registry
  readonly #index = new RoleIndex()
  #cursors: readonly { readonly kind: RbacKind; readonly cursor: CacheCursor }[] = []

  constructor(registry: (plural: RbacKind) => Registry) {
    this.#registry = registry
  }

  authorize(attributes: AccessAttributes): AccessDecision {
    if (isMaster(attributes.user)) return allowed
    this.#follow()
    let missing: string[] | undefined
    for (const grant of this.#index.grantsOf(attributes.user, attributes.namespace)) {
      const role = this.#index.role(grant.roleKey)
      if (role === undefined) (missing ??= []).push(missingText(grant.roleRef))
      else if (role.matchers.some((matches) => matches(attributes))) return grant.decision
    }
    return missing === undefined ? denied : { allowed: false, reason: reasonOf(missing) }
  }

  /** The rules that `user` has in `namespace`; '' : everywhere. */
  rulesOf(user: User, namespace: string): UserRules {
    if (isMaster(user)) return { rules: everything, problems: [] }
    this.#follow()
    const rules: PolicyRule[] = []
    const problems: string[] = []
    for (const grant of this.#index.grantsOf(user, namespace)) {
      const role = this.#index.role(grant.roleKey)
      if (role === undefined) problems.push(missingText(grant.roleRef))
      else rules.push(...role.rules)
    }
    return { rules, problems }
  }

  /** The rules of a role; undefined: there is none of that name. */
  rulesOfRole(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    this.#follow()
    return this.#index.role(roleKeyOf(roleRef, namespace))?.rules
  }

  close(): void {
    for (const { cursor } of this.#cursors) cursor.close()
    this.#cursors = []
  }

  /** Takes in what has changed since the last question. */
  #follow(): void {
    if (this.#cursors.length === 0) this.#open()
    try {
      this.#drain()
    } catch (reason) {
      // The cache started again, or more has changed than it keeps: from its state, which cannot be behind.
      if (!(reason instanceof ExpiredError)) throw reason
      this.close()
      this.#open()
      this.#drain()
    }
  }

  #open(): void {
    this.#index.clear()
    this.#cursors = kinds.map((kind) => ({
      kind,
      cursor: this.#registry(kind).watch({ keyPrefix: '' }, undefined),
    }))
  }

  #drain(): void {
    for (const { kind, cursor } of this.#cursors) {
      for (let change = cursor.next(); change !== undefined; change = cursor.next()) {
        const { key, object } = change.object
        this.#index.set(kind, key, change.type === 'DELETED' ? undefined : object)
      }
    }
  }
}

const missingText = ({ kind, name }: RoleRef): string =>
  `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`

const reasonOf = (missing: readonly string[]): string =>
  missing.length === 1 ? `RBAC: ${missing[0] ?? ''}` : `RBAC: [${missing.join(', ')}]`
