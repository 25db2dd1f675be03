// Messages of policy/v1. The notation is that of ../messages.ts.

export const policyV1: string = `
Eviction kind:string apiVersion:string 1:metadata!:ObjectMeta 2:deleteOptions:DeleteOptions
PodDisruptionBudget kind:string apiVersion:string 1:metadata!:ObjectMeta
  2:spec!:PodDisruptionBudgetSpec 3:status!:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec 1:minAvailable:intOrString 2:selector:LabelSelector
  3:maxUnavailable:intOrString 4:unhealthyPodEvictionPolicy*:string
PodDisruptionBudgetStatus 1:observedGeneration:int64 2:disruptedPods:{}time
  3:disruptionsAllowed!+:int32 4:currentHealthy!+:int32 5:desiredHealthy!+:int32
  6:expectedPods!+:int32 7:conditions:[]Condition@type
`
