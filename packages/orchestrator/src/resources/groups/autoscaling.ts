// The kinds of the group autoscaling.
import type { ResourceType } from '../object.ts'
import { autoscalerV1Type } from '../versions/autoscaler-v1.ts'
import { horizontalPodAutoscalerType } from '../workloads/horizontal-pod-autoscaler.ts'

export const autoscalingTypes: readonly ResourceType[] = [
  horizontalPodAutoscalerType,
  autoscalerV1Type,
]
