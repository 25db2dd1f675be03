// The kinds of the group storage.k8s.io.
import type { ResourceType } from '../object.ts'

export const storageTypes: readonly ResourceType[] = []
