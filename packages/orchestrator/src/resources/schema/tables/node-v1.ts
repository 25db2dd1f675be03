// Messages of node/v1. The notation is that of ../messages.ts.

export const nodeV1: string = `
Overhead 1:podFixed:{}string
RuntimeClass kind:string apiVersion:string 1:metadata!:ObjectMeta 2:handler!+:string
  3:overhead:Overhead 4:scheduling:Scheduling
Scheduling 1:nodeSelector:{}string 2:tolerations:[]Toleration
`
