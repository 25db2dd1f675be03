// Messages of rbac/v1. The notation is that of ../messages.ts.

export const rbacV1: string = `
AggregationRule 1:clusterRoleSelectors:[]LabelSelector
ClusterRole kind:string apiVersion:string 1:metadata!:ObjectMeta 2:rules!:[]PolicyRule
  3:aggregationRule:AggregationRule
ClusterRoleBinding kind:string apiVersion:string 1:metadata!:ObjectMeta 2:subjects:[]Subject
  3:roleRef!+:RoleRef
PolicyRule 1:verbs!+:[]string 2:apiGroups:[]string 3:resources:[]string 4:resourceNames:[]string
  5:nonResourceURLs:[]string
Role kind:string apiVersion:string 1:metadata!:ObjectMeta 2:rules!:[]PolicyRule
RoleBinding kind:string apiVersion:string 1:metadata!:ObjectMeta 2:subjects:[]Subject
  3:roleRef!+:RoleRef
RoleRef~ 1:apiGroup!+:string 2:kind!+:string 3:name!+:string
Subject~ 1:kind!+:string 2:apiGroup:string 3:name!+:string 4:namespace:string
`
