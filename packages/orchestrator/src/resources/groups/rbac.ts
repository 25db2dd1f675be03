// The kinds of the group rbac.authorization.k8s.io, and their beta that kubectl 1.20 still knows.
import type { ResourceType } from '../object.ts'
import { clusterRoleType, roleType } from '../rbac/role.ts'
import { clusterRoleBindingType, roleBindingType } from '../rbac/role-binding.ts'
import { servedAs } from '../served-version.ts'

const types: readonly ResourceType[] = [
  clusterRoleBindingType,
  clusterRoleType,
  roleBindingType,
  roleType,
]

export const rbacTypes: readonly ResourceType[] = [
  ...types,
  ...types.map((type) => servedAs(type, { version: 'v1beta1' })),
]
