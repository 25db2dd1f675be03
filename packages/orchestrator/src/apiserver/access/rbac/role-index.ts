// All roles and bindings, by who they give rights to: a request looks at what concerns its user and groups and at nothing else.
// Fed change by change; a request pays for the changes since the last one.
import type { KubeObject, Stored } from '../../../resources/object.ts'
import type { PolicyRule } from '../../../resources/rbac/policy-rule.ts'
import type { Role } from '../../../resources/rbac/role.ts'
import type { RoleBinding, RoleRef, Subject } from '../../../resources/rbac/role-binding.ts'
import type { AccessDecision } from '../authorizer.ts'
import type { User } from '../user.ts'
import { compileRule, type RuleMatcher } from './rule-matcher.ts'

export interface IndexedRole {
  readonly rules: readonly PolicyRule[]
  readonly matchers: readonly RuleMatcher[]
}

/** That a binding gives a role to one subject. */
export interface Grant {
  readonly bindingKey: string
  readonly roleRef: RoleRef
  /** Of the role in this index. */
  readonly roleKey: string
  /** The answer to whom it allows something. */
  readonly decision: AccessDecision
}

type Subjects = Map<string, Grant[]>

export type RbacKind = 'roles' | 'clusterroles' | 'rolebindings' | 'clusterrolebindings'

export class RoleIndex {
  readonly #roles = new Map<string, IndexedRole>()
  /** By namespace ('' for ClusterRoleBindings), then by `u:NAME` or `g:NAME`. */
  readonly #grants = new Map<string, { readonly users: Subjects; readonly groups: Subjects }>()
  readonly #bindings = new Map<string, RoleBinding>()

  /** `object` undefined: it is gone. */
  set(kind: RbacKind, key: string, object: Stored<KubeObject> | undefined): void {
    if (kind === 'roles' || kind === 'clusterroles') this.#setRole(kind, key, object)
    else this.#setBinding(`${kind}/${key}`, object as Stored<RoleBinding> | undefined)
  }

  clear(): void {
    this.#roles.clear()
    this.#grants.clear()
    this.#bindings.clear()
  }

  role(key: string): IndexedRole | undefined {
    return this.#roles.get(key)
  }

  /** What `user` has in `namespace` and everywhere ('' : everywhere alone), the latter first. */
  *grantsOf(user: User, namespace: string): Generator<Grant> {
    yield* this.#grantsIn('', user)
    if (namespace !== '') yield* this.#grantsIn(namespace, user)
  }

  *#grantsIn(namespace: string, user: User): Generator<Grant> {
    const subjects = this.#grants.get(namespace)
    if (subjects === undefined) return
    yield* subjects.users.get(user.name) ?? nothing
    for (const group of user.groups) yield* subjects.groups.get(group) ?? nothing
  }

  #setRole(kind: RbacKind, key: string, object: Stored<KubeObject> | undefined): void {
    const roleKey = `${kind}/${key}`
    if (object === undefined) {
      this.#roles.delete(roleKey)
      return
    }
    const rules = (object as Stored<Role>).rules ?? []
    this.#roles.set(roleKey, { rules, matchers: rules.map(compileRule) })
  }

  #setBinding(key: string, binding: Stored<RoleBinding> | undefined): void {
    const previous = this.#bindings.get(key)
    if (previous !== undefined) {
      this.#forEachSubject(previous, (subjects, name) => {
        removeFrom(subjects, name, key)
      })
    }
    if (binding === undefined) {
      this.#bindings.delete(key)
      return
    }
    this.#bindings.set(key, binding)
    this.#forEachSubject(binding, (subjects, name, subject) => {
      const grant = grantOf(binding, subject, key)
      const grants = subjects.get(name)
      if (grants === undefined) subjects.set(name, [grant])
      else grants.push(grant)
    })
  }

  #forEachSubject(
    binding: RoleBinding,
    each: (subjects: Subjects, name: string, subject: Subject) => void,
  ): void {
    const { namespace = '' } = binding.metadata
    let indexed = this.#grants.get(namespace)
    if (indexed === undefined) {
      indexed = { users: new Map(), groups: new Map() }
      this.#grants.set(namespace, indexed)
    }
    for (const subject of binding.subjects ?? []) {
      const name = subjectName(subject, namespace)
      each(subject.kind === 'Group' ? indexed.groups : indexed.users, name, subject)
    }
  }
}

const nothing: readonly Grant[] = []

const removeFrom = (subjects: Subjects, name: string, bindingKey: string): void => {
  const left = (subjects.get(name) ?? nothing).filter((grant) => grant.bindingKey !== bindingKey)
  if (left.length === 0) subjects.delete(name)
  else subjects.set(name, left)
}

const grantOf = (binding: RoleBinding, subject: Subject, bindingKey: string): Grant => {
  const { namespace = '' } = binding.metadata
  const { roleRef } = binding
  return {
    bindingKey,
    roleRef,
    roleKey: roleKeyOf(roleRef, namespace),
    decision: { allowed: true, reason: `${reasonPrefix(binding)}${subjectText(subject)}` },
  }
}

export const roleKeyOf = ({ kind, name }: RoleRef, namespace: string): string =>
  kind === 'ClusterRole' ? `clusterroles/${name}` : `roles/${namespace}/${name}`

/** As upstream: `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "view" to `. */
const reasonPrefix = ({ metadata, roleRef }: RoleBinding): string => {
  const { name = '', namespace } = metadata
  const [kind, full] =
    namespace === undefined ? ['ClusterRoleBinding', name] : ['RoleBinding', `${name}/${namespace}`]
  return `RBAC: allowed by ${kind} ${JSON.stringify(full)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to `
}

const subjectName = ({ kind, name, namespace }: Subject, ownNamespace: string): string =>
  kind === 'ServiceAccount' ? `system:serviceaccount:${namespace ?? ownNamespace}:${name}` : name

const subjectText = ({ kind, name, namespace }: Subject): string =>
  `${kind} ${JSON.stringify(kind === 'ServiceAccount' ? `${name}/${namespace ?? ''}` : name)}`
