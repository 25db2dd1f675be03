// The kinds of the group authorization.k8s.io.
import type { ResourceType } from '../object.ts'

export const authorizationTypes: readonly ResourceType[] = []
