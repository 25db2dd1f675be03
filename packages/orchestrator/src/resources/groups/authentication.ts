// The kinds of the group authentication.k8s.io.
import type { ResourceType } from '../object.ts'

export const authenticationTypes: readonly ResourceType[] = []
