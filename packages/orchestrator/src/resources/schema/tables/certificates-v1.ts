// Messages of certificates/v1. The notation is that of ../messages.ts.

export const certificatesV1: string = `
CertificateSigningRequest kind:string apiVersion:string 1:metadata!:ObjectMeta
  2:spec!+:CertificateSigningRequestSpec 3:status!:CertificateSigningRequestStatus
CertificateSigningRequestCondition 1:type!+:string 2:reason:string 3:message:string
  4:lastUpdateTime:time 5:lastTransitionTime:time 6:status!+:string
CertificateSigningRequestSpec 1:request!+:bytes 2:username:string 3:uid:string 4:groups:[]string
  5:usages:[]string 6:extra:{}strings 7:signerName!+:string 8:expirationSeconds*:int32
CertificateSigningRequestStatus 1:conditions:[]CertificateSigningRequestCondition%type
  2:certificate:bytes
ClusterTrustBundle kind:string apiVersion:string 1:metadata:ObjectMeta
  2:spec:ClusterTrustBundleSpec
ClusterTrustBundleSpec 1:signerName:string 2:trustBundle:string
PodCertificateRequest kind:string apiVersion:string 1:metadata:ObjectMeta
  2:spec:PodCertificateRequestSpec 3:status:PodCertificateRequestStatus
PodCertificateRequestSpec 1:signerName:string 2:podName:string 3:podUID:string
  4:serviceAccountName:string 5:serviceAccountUID:string 6:nodeName:string 7:nodeUID:string
  8:maxExpirationSeconds:int32 11:unverifiedUserAnnotations:{}string 12:stubPKCS10Request:bytes
PodCertificateRequestStatus 1:conditions:[]Condition@type 2:certificateChain:string
  4:notBefore:time 5:beginRefreshAt:time 6:notAfter:time
`
