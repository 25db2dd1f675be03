// The kinds of the group flowcontrol.apiserver.k8s.io.
import { flowSchemaType, priorityLevelConfigurationType } from '../flowcontrol/flow-schema.ts'
import type { ResourceType } from '../object.ts'

export const flowcontrolTypes: readonly ResourceType[] = [
  flowSchemaType,
  priorityLevelConfigurationType,
]
