// Every field of the API that Balsa serves, as data: one message a paragraph, `name:type` per field, `[]` a list, `{}` a map with
// text keys, `!` a field that is always there (its zero value is filled in). Names and types are those of Kubernetes' own
// generated.proto files (1.35), inline embedded messages flattened. decode-object.ts checks arbitrary JSON against it.

export const apiFields: string = `
Namespace kind:string apiVersion:string metadata!:ObjectMeta spec!:NamespaceSpec
  status!:NamespaceStatus
ObjectMeta name:string generateName:string namespace:string selfLink:string uid:string
  resourceVersion:string generation:int64 creationTimestamp:time deletionTimestamp:time
  deletionGracePeriodSeconds:int64 labels:{}string annotations:{}string
  ownerReferences:[]OwnerReference finalizers:[]string managedFields:[]ManagedFieldsEntry
OwnerReference kind!:string name!:string uid!:string apiVersion!:string controller:bool
  blockOwnerDeletion:bool
ManagedFieldsEntry manager:string operation:string apiVersion:string time:time fieldsType:string
  fieldsV1:json subresource:string
NamespaceSpec finalizers:[]string
NamespaceStatus phase:string conditions:[]NamespaceCondition
NamespaceCondition type!:string status!:string lastTransitionTime:time reason:string
  message:string
Node kind:string apiVersion:string metadata!:ObjectMeta spec!:NodeSpec status!:NodeStatus
NodeSpec podCIDR:string externalID:string providerID:string unschedulable:bool taints:[]Taint
  configSource:NodeConfigSource podCIDRs:[]string podPreemptionPolicy:NodePodPreemptionPolicy
Taint key!:string value:string effect!:string timeAdded:time
NodeConfigSource configMap:ConfigMapNodeConfigSource
ConfigMapNodeConfigSource namespace:string name:string uid:string resourceVersion:string
  kubeletConfigKey:string
NodePodPreemptionPolicy disableResizePreemption:[]string
NodeStatus capacity:{}quantity allocatable:{}quantity phase:string conditions:[]NodeCondition
  addresses:[]NodeAddress daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo
  images:[]ContainerImage volumesInUse:[]string volumesAttached:[]AttachedVolume
  config:NodeConfigStatus runtimeHandlers:[]NodeRuntimeHandler features:NodeFeatures
  declaredFeatures:[]string
NodeCondition type!:string status!:string lastHeartbeatTime:time lastTransitionTime:time
  reason:string message:string
NodeAddress type!:string address!:string
NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
DaemonEndpoint Port!:int32
NodeSystemInfo machineID:string systemUUID:string bootID:string kernelVersion:string
  osImage:string containerRuntimeVersion:string kubeletVersion:string kubeProxyVersion:string
  operatingSystem:string architecture:string swap:NodeSwapStatus
NodeSwapStatus capacity:int64
ContainerImage names:[]string sizeBytes:int64
AttachedVolume name:string devicePath:string
NodeConfigStatus assigned:NodeConfigSource active:NodeConfigSource lastKnownGood:NodeConfigSource
  error:string
NodeRuntimeHandler name:string features:NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:bool userNamespaces:bool
NodeFeatures supplementalGroupsPolicy:bool
Pod kind:string apiVersion:string metadata!:ObjectMeta spec!:PodSpec status!:PodStatus
PodSpec volumes:[]Volume containers!:[]Container restartPolicy:string
  terminationGracePeriodSeconds:int64 activeDeadlineSeconds:int64 dnsPolicy:string
  nodeSelector:{}string serviceAccountName:string serviceAccount:string nodeName:string
  hostNetwork:bool hostPID:bool hostIPC:bool securityContext:PodSecurityContext
  imagePullSecrets:[]LocalObjectReference hostname:string subdomain:string affinity:Affinity
  schedulerName:string initContainers:[]Container automountServiceAccountToken:bool
  tolerations:[]Toleration hostAliases:[]HostAlias priorityClassName:string priority:int32
  dnsConfig:PodDNSConfig shareProcessNamespace:bool readinessGates:[]PodReadinessGate
  runtimeClassName:string enableServiceLinks:bool preemptionPolicy:string overhead:{}quantity
  topologySpreadConstraints:[]TopologySpreadConstraint ephemeralContainers:[]EphemeralContainer
  setHostnameAsFQDN:bool os:PodOS hostUsers:bool schedulingGates:[]PodSchedulingGate
  resourceClaims:[]PodResourceClaim resources:ResourceRequirements hostnameOverride:string
  schedulingGroup:PodSchedulingGroup evictionResponders:[]EvictionResponder
Volume name!:string hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource
  gcePersistentDisk:GCEPersistentDiskVolumeSource
  awsElasticBlockStore:AWSElasticBlockStoreVolumeSource gitRepo:GitRepoVolumeSource
  secret:SecretVolumeSource nfs:NFSVolumeSource iscsi:ISCSIVolumeSource
  glusterfs:GlusterfsVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource
  rbd:RBDVolumeSource flexVolume:FlexVolumeSource cinder:CinderVolumeSource
  cephfs:CephFSVolumeSource flocker:FlockerVolumeSource downwardAPI:DownwardAPIVolumeSource
  fc:FCVolumeSource azureFile:AzureFileVolumeSource configMap:ConfigMapVolumeSource
  vsphereVolume:VsphereVirtualDiskVolumeSource quobyte:QuobyteVolumeSource
  azureDisk:AzureDiskVolumeSource photonPersistentDisk:PhotonPersistentDiskVolumeSource
  portworxVolume:PortworxVolumeSource scaleIO:ScaleIOVolumeSource projected:ProjectedVolumeSource
  storageos:StorageOSVolumeSource csi:CSIVolumeSource ephemeral:EphemeralVolumeSource
  image:ImageVolumeSource
HostPathVolumeSource path!:string type:string
EmptyDirVolumeSource medium:string sizeLimit:quantity mode:int32
GCEPersistentDiskVolumeSource pdName:string fsType:string partition:int32 readOnly:bool
AWSElasticBlockStoreVolumeSource volumeID:string fsType:string partition:int32 readOnly:bool
GitRepoVolumeSource repository:string revision:string directory:string
SecretVolumeSource secretName:string items:[]KeyToPath defaultMode:int32 optional:bool
  defaultUser:int64
KeyToPath key!:string path!:string mode:int32 user:int64
NFSVolumeSource server:string path:string readOnly:bool
ISCSIVolumeSource targetPortal:string iqn:string lun:int32 iscsiInterface:string fsType:string
  readOnly:bool portals:[]string chapAuthDiscovery:bool secretRef:LocalObjectReference
  chapAuthSession:bool initiatorName:string
LocalObjectReference name:string
GlusterfsVolumeSource endpoints:string path:string readOnly:bool
PersistentVolumeClaimVolumeSource claimName!:string readOnly:bool
RBDVolumeSource monitors:[]string image:string fsType:string pool:string user:string
  keyring:string secretRef:LocalObjectReference readOnly:bool
FlexVolumeSource driver:string fsType:string secretRef:LocalObjectReference readOnly:bool
  options:{}string
CinderVolumeSource volumeID:string fsType:string readOnly:bool secretRef:LocalObjectReference
CephFSVolumeSource monitors:[]string path:string user:string secretFile:string
  secretRef:LocalObjectReference readOnly:bool
FlockerVolumeSource datasetName:string datasetUUID:string
DownwardAPIVolumeSource items:[]DownwardAPIVolumeFile defaultMode:int32 defaultUser:int64
DownwardAPIVolumeFile path!:string fieldRef:ObjectFieldSelector
  resourceFieldRef:ResourceFieldSelector mode:int32 user:int64
ObjectFieldSelector apiVersion:string fieldPath!:string
ResourceFieldSelector containerName:string resource!:string divisor:quantity
FCVolumeSource targetWWNs:[]string lun:int32 fsType:string readOnly:bool wwids:[]string
AzureFileVolumeSource secretName:string shareName:string readOnly:bool
ConfigMapVolumeSource name:string items:[]KeyToPath defaultMode:int32 optional:bool
  defaultUser:int64
VsphereVirtualDiskVolumeSource volumePath:string fsType:string storagePolicyName:string
  storagePolicyID:string
QuobyteVolumeSource registry:string volume:string readOnly:bool user:string group:string
  tenant:string
AzureDiskVolumeSource diskName:string diskURI:string cachingMode:string fsType:string
  readOnly:bool kind:string
PhotonPersistentDiskVolumeSource pdID:string fsType:string
PortworxVolumeSource volumeID:string fsType:string readOnly:bool
ScaleIOVolumeSource gateway:string system:string secretRef:LocalObjectReference sslEnabled:bool
  protectionDomain:string storagePool:string storageMode:string volumeName:string fsType:string
  readOnly:bool
ProjectedVolumeSource sources:[]VolumeProjection defaultMode:int32 defaultUser:int64
VolumeProjection secret:SecretProjection downwardAPI:DownwardAPIProjection
  configMap:ConfigMapProjection serviceAccountToken:ServiceAccountTokenProjection
  clusterTrustBundle:ClusterTrustBundleProjection podCertificate:PodCertificateProjection
SecretProjection name:string items:[]KeyToPath optional:bool
DownwardAPIProjection items:[]DownwardAPIVolumeFile
ConfigMapProjection name:string items:[]KeyToPath optional:bool
ServiceAccountTokenProjection audience:string expirationSeconds:int64 path!:string user:int64
ClusterTrustBundleProjection name:string signerName:string labelSelector:LabelSelector path:string
  optional:bool user:int64
LabelSelector matchLabels:{}string matchExpressions:[]LabelSelectorRequirement
LabelSelectorRequirement key!:string operator!:string values:[]string
PodCertificateProjection signerName:string keyType:string maxExpirationSeconds:int32
  credentialBundlePath:string keyPath:string certificateChainPath:string userAnnotations:{}string
  user:int64
StorageOSVolumeSource volumeName:string volumeNamespace:string fsType:string readOnly:bool
  secretRef:LocalObjectReference
CSIVolumeSource driver:string readOnly:bool fsType:string volumeAttributes:{}string
  nodePublishSecretRef:LocalObjectReference
EphemeralVolumeSource volumeClaimTemplate:PersistentVolumeClaimTemplate
PersistentVolumeClaimTemplate metadata:ObjectMeta spec:PersistentVolumeClaimSpec
PersistentVolumeClaimSpec accessModes:[]string resources:VolumeResourceRequirements
  volumeName:string selector:LabelSelector storageClassName:string volumeMode:string
  dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference
  volumeAttributesClassName:string
VolumeResourceRequirements limits:{}quantity requests:{}quantity
TypedLocalObjectReference apiGroup:string kind:string name:string
TypedObjectReference apiGroup:string kind:string name:string namespace:string
ImageVolumeSource reference:string pullPolicy:string
Container name!:string image:string command:[]string args:[]string workingDir:string
  ports:[]ContainerPort env:[]EnvVar resources!:ResourceRequirements volumeMounts:[]VolumeMount
  livenessProbe:Probe readinessProbe:Probe lifecycle:Lifecycle terminationMessagePath:string
  imagePullPolicy:string securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool
  envFrom:[]EnvFromSource terminationMessagePolicy:string volumeDevices:[]VolumeDevice
  startupProbe:Probe resizePolicy:[]ContainerResizePolicy restartPolicy:string
  restartPolicyRules:[]ContainerRestartRule
ContainerPort name:string hostPort:int32 containerPort!:int32 protocol:string hostIP:string
EnvVar name!:string value:string valueFrom:EnvVarSource
EnvVarSource fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector
  configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector fileKeyRef:FileKeySelector
ConfigMapKeySelector name:string key!:string optional:bool
SecretKeySelector name:string key!:string optional:bool
FileKeySelector volumeName:string path:string key:string optional:bool
ResourceRequirements limits:{}quantity requests:{}quantity claims:[]ResourceClaim
ResourceClaim name:string request:string
VolumeMount name!:string readOnly:bool mountPath!:string subPath:string mountPropagation:string
  subPathExpr:string recursiveReadOnly:string bindMountOptions:[]string
Probe exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction
  initialDelaySeconds:int32 timeoutSeconds:int32 periodSeconds:int32 successThreshold:int32
  failureThreshold:int32 terminationGracePeriodSeconds:int64
ExecAction command:[]string
HTTPGetAction path:string port!:intOrString host:string scheme:string httpHeaders:[]HTTPHeader
  protocol:string
HTTPHeader name!:string value!:string
TCPSocketAction port!:intOrString host:string
GRPCAction port!:int32 service:string mode:string
Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:string
LifecycleHandler exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction
SleepAction seconds!:int64
SecurityContext capabilities:Capabilities privileged:bool seLinuxOptions:SELinuxOptions
  runAsUser:int64 runAsNonRoot:bool readOnlyRootFilesystem:bool allowPrivilegeEscalation:bool
  runAsGroup:int64 procMount:string windowsOptions:WindowsSecurityContextOptions
  seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile
Capabilities add:[]string drop:[]string
SELinuxOptions user:string role:string type:string level:string
WindowsSecurityContextOptions gmsaCredentialSpecName:string gmsaCredentialSpec:string
  runAsUserName:string hostProcess:bool
SeccompProfile type:string localhostProfile:string
AppArmorProfile type:string localhostProfile:string
EnvFromSource prefix:string configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource
ConfigMapEnvSource name:string optional:bool
SecretEnvSource name:string optional:bool
VolumeDevice name:string devicePath:string
ContainerResizePolicy resourceName:string restartPolicy:string
ContainerRestartRule action:string exitCodes:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes operator:string values:[]int32
PodSecurityContext seLinuxOptions:SELinuxOptions runAsUser:int64 runAsNonRoot:bool
  supplementalGroups:[]int64 fsGroup:int64 runAsGroup:int64 sysctls:[]Sysctl
  windowsOptions:WindowsSecurityContextOptions fsGroupChangePolicy:string
  seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile supplementalGroupsPolicy:string
  seLinuxChangePolicy:string
Sysctl name:string value:string
Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
NodeSelector nodeSelectorTerms!:[]NodeSelectorTerm
NodeSelectorTerm matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement
NodeSelectorRequirement key!:string operator!:string values:[]string
PreferredSchedulingTerm weight!:int32 preference!:NodeSelectorTerm
PodAffinity requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
PodAffinityTerm labelSelector:LabelSelector namespaces:[]string topologyKey!:string
  namespaceSelector:LabelSelector matchLabelKeys:[]string mismatchLabelKeys:[]string
WeightedPodAffinityTerm weight!:int32 podAffinityTerm!:PodAffinityTerm
PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
Toleration key:string operator:string value:string effect:string tolerationSeconds:int64
HostAlias ip!:string hostnames:[]string
PodDNSConfig nameservers:[]string searches:[]string options:[]PodDNSConfigOption
PodDNSConfigOption name:string value:string
PodReadinessGate conditionType!:string
TopologySpreadConstraint maxSkew!:int32 topologyKey!:string whenUnsatisfiable!:string
  labelSelector:LabelSelector minDomains:int32 nodeAffinityPolicy:string nodeTaintsPolicy:string
  matchLabelKeys:[]string
EphemeralContainer name!:string image:string command:[]string args:[]string workingDir:string
  ports:[]ContainerPort env:[]EnvVar resources:ResourceRequirements volumeMounts:[]VolumeMount
  livenessProbe:Probe readinessProbe:Probe lifecycle:Lifecycle terminationMessagePath:string
  imagePullPolicy:string securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool
  envFrom:[]EnvFromSource terminationMessagePolicy:string volumeDevices:[]VolumeDevice
  startupProbe:Probe resizePolicy:[]ContainerResizePolicy restartPolicy:string
  restartPolicyRules:[]ContainerRestartRule targetContainerName:string
PodOS name:string
PodSchedulingGate name!:string
PodResourceClaim name:string resourceClaimName:string resourceClaimTemplateName:string
PodSchedulingGroup podGroupName:string
EvictionResponder name:string priority:int32
PodStatus phase:string conditions:[]PodCondition message:string reason:string hostIP:string
  podIP:string startTime:time containerStatuses:[]ContainerStatus qosClass:string
  initContainerStatuses:[]ContainerStatus nominatedNodeName:string podIPs:[]PodIP
  ephemeralContainerStatuses:[]ContainerStatus resize:string
  resourceClaimStatuses:[]PodResourceClaimStatus hostIPs:[]HostIP observedGeneration:int64
  extendedResourceClaimStatus:PodExtendedResourceClaimStatus allocatedResources:{}quantity
  resources:ResourceRequirements
  nodeAllocatableResourceClaimStatuses:[]NodeAllocatableResourceClaimStatus
  volumeHealth:[]PodVolumeHealth
PodCondition type!:string status!:string lastProbeTime:time lastTransitionTime:time reason:string
  message:string observedGeneration:int64
ContainerStatus name!:string state!:ContainerState lastState!:ContainerState ready!:bool
  restartCount!:int32 image!:string imageID!:string containerID:string started:bool
  allocatedResources:{}quantity resources:ResourceRequirements volumeMounts:[]VolumeMountStatus
  user:ContainerUser allocatedResourcesStatus:[]ResourceStatus stopSignal:string
ContainerState waiting:ContainerStateWaiting running:ContainerStateRunning
  terminated:ContainerStateTerminated
ContainerStateWaiting reason:string message:string
ContainerStateRunning startedAt:time
ContainerStateTerminated exitCode!:int32 signal:int32 reason:string message:string startedAt:time
  finishedAt:time containerID:string
VolumeMountStatus name:string mountPath:string readOnly:bool recursiveReadOnly:string
  volumeStatus:VolumeStatus
VolumeStatus image:ImageVolumeStatus
ImageVolumeStatus imageRef:string
ContainerUser linux:LinuxContainerUser
LinuxContainerUser uid:int64 gid:int64 supplementalGroups:[]int64
ResourceStatus name:string resources:[]ResourceHealth
ResourceHealth resourceID:string health:string message:string
PodIP ip!:string
PodResourceClaimStatus name:string resourceClaimName:string
HostIP ip!:string
PodExtendedResourceClaimStatus requestMappings:[]ContainerExtendedResourceRequest
  resourceClaimName:string
ContainerExtendedResourceRequest containerName:string resourceName:string requestName:string
NodeAllocatableResourceClaimStatus resourceClaimName:string containers:[]string
  mapping:[]NodeAllocatableMappedResources overhead:[]NodeAllocatableOverheadResources
NodeAllocatableMappedResources name:string quantity:quantity
NodeAllocatableOverheadResources name:string perPod:quantity perContainer:quantity
PodVolumeHealth name:string healthConditions:[]VolumeHealthCondition lastTransitionTime:time
VolumeHealthCondition status:string reason:string message:string
ConfigMap kind:string apiVersion:string metadata!:ObjectMeta data:{}string binaryData:{}bytes
  immutable:bool
Secret kind:string apiVersion:string metadata!:ObjectMeta data:{}bytes type:string
  stringData:{}string immutable:bool
Service kind:string apiVersion:string metadata!:ObjectMeta spec!:ServiceSpec status!:ServiceStatus
ServiceSpec ports:[]ServicePort selector:{}string clusterIP:string type:string
  externalIPs:[]string sessionAffinity:string loadBalancerIP:string
  loadBalancerSourceRanges:[]string externalName:string externalTrafficPolicy:string
  healthCheckNodePort:int32 publishNotReadyAddresses:bool
  sessionAffinityConfig:SessionAffinityConfig ipFamilyPolicy:string clusterIPs:[]string
  ipFamilies:[]string allocateLoadBalancerNodePorts:bool loadBalancerClass:string
  internalTrafficPolicy:string trafficDistribution:string
ServicePort name:string protocol:string port!:int32 targetPort:intOrString nodePort:int32
  appProtocol:string
SessionAffinityConfig clientIP:ClientIPConfig
ClientIPConfig timeoutSeconds:int32
ServiceStatus loadBalancer!:LoadBalancerStatus conditions:[]Condition
LoadBalancerStatus ingress:[]LoadBalancerIngress
LoadBalancerIngress ip:string hostname:string ipMode:string ports:[]PortStatus
PortStatus port:int32 protocol:string error:string
Condition type!:string status!:string observedGeneration:int64 lastTransitionTime:time
  reason:string message:string
Event kind:string apiVersion:string metadata!:ObjectMeta involvedObject!:ObjectReference
  reason:string message:string source:EventSource firstTimestamp:time lastTimestamp:time
  count:int32 type:string eventTime:microTime series:EventSeries action:string
  related:ObjectReference reportingComponent:string reportingInstance:string
ObjectReference kind:string namespace:string name:string uid:string apiVersion:string
  resourceVersion:string fieldPath:string
EventSource component:string host:string
EventSeries count:int32 lastObservedTime:microTime
ServiceAccount kind:string apiVersion:string metadata!:ObjectMeta secrets:[]ObjectReference
  imagePullSecrets:[]LocalObjectReference automountServiceAccountToken:bool
Endpoints kind:string apiVersion:string metadata!:ObjectMeta subsets:[]EndpointSubset
EndpointSubset addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress
  ports:[]EndpointPort
EndpointAddress ip!:string targetRef:ObjectReference hostname:string nodeName:string
EndpointPort name:string port!:int32 protocol:string appProtocol:string
Deployment kind:string apiVersion:string metadata!:ObjectMeta spec!:DeploymentSpec
  status!:DeploymentStatus
DeploymentSpec replicas:int32 selector:LabelSelector template!:PodTemplateSpec
  strategy!:DeploymentStrategy minReadySeconds:int32 revisionHistoryLimit:int32 paused:bool
  progressDeadlineSeconds:int32
PodTemplateSpec metadata:ObjectMeta spec!:PodSpec
DeploymentStrategy type:string rollingUpdate:RollingUpdateDeployment
RollingUpdateDeployment maxUnavailable:intOrString maxSurge:intOrString
DeploymentStatus observedGeneration:int64 replicas:int32 updatedReplicas:int32
  availableReplicas:int32 unavailableReplicas:int32 conditions:[]DeploymentCondition
  readyReplicas:int32 collisionCount:int32 terminatingReplicas:int32
DeploymentCondition type!:string status!:string reason:string message:string lastUpdateTime:time
  lastTransitionTime:time
ReplicaSet kind:string apiVersion:string metadata!:ObjectMeta spec!:ReplicaSetSpec
  status!:ReplicaSetStatus
ReplicaSetSpec replicas:int32 selector:LabelSelector template!:PodTemplateSpec
  minReadySeconds:int32
ReplicaSetStatus replicas!:int32 fullyLabeledReplicas:int32 observedGeneration:int64
  readyReplicas:int32 availableReplicas:int32 conditions:[]ReplicaSetCondition
  terminatingReplicas:int32
ReplicaSetCondition type!:string status!:string lastTransitionTime:time reason:string
  message:string
Lease kind:string apiVersion:string metadata!:ObjectMeta spec!:LeaseSpec
LeaseSpec holderIdentity:string leaseDurationSeconds:int32 acquireTime:microTime
  renewTime:microTime leaseTransitions:int32 strategy:string preferredHolder:string
`
