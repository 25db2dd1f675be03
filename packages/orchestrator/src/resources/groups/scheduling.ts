// The kinds of the group scheduling.k8s.io.
import type { ResourceType } from '../object.ts'

export const schedulingTypes: readonly ResourceType[] = []
