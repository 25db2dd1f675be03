// The kinds of the group node.k8s.io.
import type { ResourceType } from '../object.ts'

export const nodeTypes: readonly ResourceType[] = []
