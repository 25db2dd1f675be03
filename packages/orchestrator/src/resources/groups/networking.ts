// The kinds of the group networking.k8s.io.
import type { ResourceType } from '../object.ts'

export const networkingTypes: readonly ResourceType[] = []
