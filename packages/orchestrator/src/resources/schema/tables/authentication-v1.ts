// Messages of authentication/v1. The notation is that of ../messages.ts.

export const authenticationV1: string = `
AttestationValue 1:items:[]string
BoundObjectReference 1:kind:string 2:apiVersion:string 3:name:string 4:uid:string
SelfSubjectReview kind:string apiVersion:string 1:metadata:ObjectMeta
  2:status:SelfSubjectReviewStatus
SelfSubjectReviewStatus 1:userInfo:UserInfo
TokenRequest kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!+:TokenRequestSpec
  3:status!:TokenRequestStatus
TokenRequestSpec 1:audiences!+:[]string 3:boundObjectRef:BoundObjectReference
  4:expirationSeconds*:int64 5:attestations:{}AttestationValue
TokenRequestStatus 1:token!+:string 2:expirationTimestamp+:time
TokenReview kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!+:TokenReviewSpec
  3:status!:TokenReviewStatus
TokenReviewSpec 1:token:string 2:audiences:[]string
TokenReviewStatus 1:authenticated:bool 2:user!:UserInfo 3:error:string 4:audiences:[]string
UserInfo 1:username:string 2:uid:string 3:groups:[]string 4:extra:{}strings
`
