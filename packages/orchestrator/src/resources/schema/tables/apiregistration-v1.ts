// Messages of apiregistration/v1. The notation is that of ../messages.ts.

export const apiregistrationV1: string = `
APIService kind:string apiVersion:string metadata!:ObjectMeta spec!:APIServiceSpec
  status!:APIServiceStatus
APIServiceCondition lastTransitionTime:time message:string reason:string status!+:string
  type!+:string
APIServiceSpec caBundle:bytes group*:string groupPriorityMinimum!+:int32
  insecureSkipTLSVerify*:bool service:ServiceReference version*:string versionPriority!+:int32
APIServiceStatus conditions:[]APIServiceCondition@type
ServiceReference name*:string namespace*:string port*:int32
`
