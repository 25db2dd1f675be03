// The kinds of the group autoscaling.
import type { ResourceType } from '../object.ts'
import { horizontalPodAutoscalerType } from '../workloads/horizontal-pod-autoscaler.ts'

export const autoscalingTypes: readonly ResourceType[] = [horizontalPodAutoscalerType]
