// The kinds of the group rbac.authorization.k8s.io.
import type { ResourceType } from '../object.ts'

export const rbacTypes: readonly ResourceType[] = []
