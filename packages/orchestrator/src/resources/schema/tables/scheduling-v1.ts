// Messages of scheduling/v1. The notation is that of ../messages.ts.

export const schedulingV1: string = `
PriorityClass kind:string apiVersion:string 1:metadata!:ObjectMeta 2:value!+:int32
  3:globalDefault:bool 4:description:string 5:preemptionPolicy*:string
`
