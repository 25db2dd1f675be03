// The kinds of the group scheduling.k8s.io.
import type { ResourceType } from '../object.ts'
import { priorityClassType } from '../scheduling/priority-class.ts'

export const schedulingTypes: readonly ResourceType[] = [priorityClassType]
