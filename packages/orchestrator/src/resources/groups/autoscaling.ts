// The kinds of the group autoscaling.
import type { ResourceType } from '../object.ts'

export const autoscalingTypes: readonly ResourceType[] = []
