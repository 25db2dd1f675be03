// Messages of apps/v1. The notation is that of ../messages.ts.

export const appsV1: string = `
ControllerRevision kind:string apiVersion:string 1:metadata!:ObjectMeta 2:data:raw
  3:revision!+:int64
DaemonSet kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!:DaemonSetSpec
  3:status!:DaemonSetStatus
DaemonSetCondition 1:type!+:string 2:status!+:string 3:lastTransitionTime:time 4:reason:string
  5:message:string
DaemonSetSpec 1:selector+:LabelSelector 2:template!+:PodTemplateSpec
  3:updateStrategy!:DaemonSetUpdateStrategy 4:minReadySeconds:int32
  6:revisionHistoryLimit*:int32
DaemonSetStatus 1:currentNumberScheduled!+:int32 2:numberMisscheduled!+:int32
  3:desiredNumberScheduled!+:int32 4:numberReady!+:int32 5:observedGeneration:int64
  6:updatedNumberScheduled:int32 7:numberAvailable:int32 8:numberUnavailable:int32
  9:collisionCount*:int32 10:conditions:[]DaemonSetCondition@type
DaemonSetUpdateStrategy 1:type:string 2:rollingUpdate:RollingUpdateDaemonSet
Deployment kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!:DeploymentSpec
  3:status!:DeploymentStatus
DeploymentCondition 1:type!+:string 2:status!+:string 4:reason:string 5:message:string
  6:lastUpdateTime:time 7:lastTransitionTime:time
DeploymentSpec 1:replicas*:int32 2:selector+:LabelSelector 3:template!+:PodTemplateSpec
  4:strategy!:DeploymentStrategy& 5:minReadySeconds:int32 6:revisionHistoryLimit*:int32
  7:paused:bool 9:progressDeadlineSeconds*:int32
DeploymentStatus 1:observedGeneration:int64 2:replicas:int32 3:updatedReplicas:int32
  4:availableReplicas:int32 5:unavailableReplicas:int32 6:conditions:[]DeploymentCondition@type
  7:readyReplicas:int32 8:collisionCount*:int32 9:terminatingReplicas:int32
DeploymentStrategy 1:type:string 2:rollingUpdate:RollingUpdateDeployment
ReplicaSet kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!:ReplicaSetSpec
  3:status!:ReplicaSetStatus
ReplicaSetCondition 1:type!+:string 2:status!+:string 3:lastTransitionTime:time 4:reason:string
  5:message:string
ReplicaSetSpec 1:replicas*:int32 2:selector+:LabelSelector 3:template!:PodTemplateSpec
  4:minReadySeconds:int32
ReplicaSetStatus 1:replicas!+:int32 2:fullyLabeledReplicas:int32 3:observedGeneration:int64
  4:readyReplicas:int32 5:availableReplicas:int32 6:conditions:[]ReplicaSetCondition@type
  7:terminatingReplicas:int32
RollingUpdateDaemonSet 1:maxUnavailable:intOrString 2:maxSurge:intOrString
RollingUpdateDeployment 1:maxUnavailable:intOrString 2:maxSurge:intOrString
RollingUpdateStatefulSetStrategy 1:partition*:int32 2:maxUnavailable:intOrString
StatefulSet kind:string apiVersion:string 1:metadata!:ObjectMeta 2:spec!:StatefulSetSpec
  3:status!:StatefulSetStatus
StatefulSetCondition 1:type!+:string 2:status!+:string 3:lastTransitionTime:time 4:reason:string
  5:message:string
StatefulSetOrdinals 1:start*:int32
StatefulSetPersistentVolumeClaimRetentionPolicy 1:whenDeleted*:string 2:whenScaled*:string
StatefulSetSpec 1:replicas*:int32 2:selector+:LabelSelector 3:template!+:PodTemplateSpec
  4:volumeClaimTemplates:[]PersistentVolumeClaim 5:serviceName!:string
  6:podManagementPolicy:string 7:updateStrategy!:StatefulSetUpdateStrategy
  8:revisionHistoryLimit*:int32 9:minReadySeconds*:int32
  10:persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy
  11:ordinals:StatefulSetOrdinals
StatefulSetStatus 1:observedGeneration:int64 2:replicas!+:int32 3:readyReplicas:int32
  4:currentReplicas:int32 5:updatedReplicas:int32 6:currentRevision:string
  7:updateRevision:string 9:collisionCount*:int32 10:conditions:[]StatefulSetCondition@type
  11:availableReplicas*:int32
StatefulSetUpdateStrategy 1:type:string 2:rollingUpdate:RollingUpdateStatefulSetStrategy
`
