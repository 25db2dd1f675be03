// Messages of coordination/v1. The notation is that of ../messages.ts.

export const coordinationV1: string = `
Lease kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!:LeaseSpec
LeaseSpec 1:holderIdentity*:string 2:leaseDurationSeconds*:int32 3:acquireTime:microTime
  4:renewTime:microTime 5:leaseTransitions*:int32 6:strategy*:string 7:preferredHolder*:string
`
