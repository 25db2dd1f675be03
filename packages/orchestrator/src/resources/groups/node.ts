// The kinds of the group node.k8s.io.
import type { ResourceType } from '../object.ts'
import { runtimeClassType } from '../scheduling/runtime-class.ts'

export const nodeTypes: readonly ResourceType[] = [runtimeClassType]
