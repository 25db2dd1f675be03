// Messages of networking.k8s.io/v1beta1 and extensions/v1beta1 that differ from networking/v1. The notation is that of ../messages.ts.

export const networkingV1beta1: string = `
HTTPIngressPath 1:path:string 3:pathType*:string 2:backend!+:IngressBackend
HTTPIngressRuleValue 1:paths!+:[]HTTPIngressPath
Ingress kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!:IngressSpec
  3:status!:networking/v1.IngressStatus
IngressBackend 1:serviceName:string 2:servicePort:intOrString 3:resource:TypedLocalObjectReference
IngressRule 1:host:string 2:^IngressRuleValue
IngressRuleValue 1:http:HTTPIngressRuleValue
IngressSpec 4:ingressClassName*:string 1:backend:IngressBackend 2:tls:[]networking/v1.IngressTLS
  3:rules:[]IngressRule
`
