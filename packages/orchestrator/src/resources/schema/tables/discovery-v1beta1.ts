// Messages of discovery.k8s.io/v1beta1 that differ from discovery/v1. The notation is that of ../messages.ts.

export const discoveryV1beta1: string = `
Endpoint 1:addresses!+:[]string% 2:conditions:discovery/v1.EndpointConditions 3:hostname*:string
  4:targetRef:ObjectReference 5:topology:{}string 6:nodeName*:string 7:hints:discovery/v1.EndpointHints
EndpointSlice kind:string apiVersion:string 1:metadata!:ObjectMeta 4:addressType!+:string
  2:endpoints!+:[]Endpoint 3:ports!:[]discovery/v1.EndpointPort
`
