// The texts that a field may have, where only some are allowed: OpenAPI v3 and `kubectl explain` list them. `Message.field: TEXT ...`, in
// the order of the alphabet, as upstream generates them.

const table = `
AppArmorProfile.type: Localhost RuntimeDefault Unconfined
Container.imagePullPolicy: Always IfNotPresent Never
Container.terminationMessagePolicy: FallbackToLogsOnError File
ContainerPort.protocol: SCTP TCP UDP
CronJobSpec.concurrencyPolicy: Allow Forbid Replace
DaemonSetUpdateStrategy.type: OnDelete RollingUpdate
DeploymentStrategy.type: Recreate RollingUpdate
EndpointPort.protocol: SCTP TCP UDP
EndpointSlice.addressType: FQDN IPv4 IPv6
EphemeralContainer.imagePullPolicy: Always IfNotPresent Never
EphemeralContainer.terminationMessagePolicy: FallbackToLogsOnError File
HTTPGetAction.scheme: HTTP HTTPS
HTTPIngressPath.pathType: Exact ImplementationSpecific Prefix
HostPathVolumeSource.type: BlockDevice CharDevice Directory DirectoryOrCreate File FileOrCreate Socket
JobSpec.completionMode: Indexed NonIndexed
JobSpec.podReplacementPolicy: Failed TerminatingOrFailed
MatchResources.matchPolicy: Equivalent Exact
MutatingAdmissionPolicySpec.failurePolicy: Fail Ignore
MutatingAdmissionPolicySpec.reinvocationPolicy: IfNeeded Never
MutatingWebhook.failurePolicy: Fail Ignore
MutatingWebhook.matchPolicy: Equivalent Exact
MutatingWebhook.reinvocationPolicy: IfNeeded Never
MutatingWebhook.sideEffects: None NoneOnDryRun Some Unknown
Mutation.patchType: ApplyConfiguration JSONPatch
NamedRuleWithOperations.scope: * Cluster Namespaced
NamespaceStatus.phase: Active Terminating
NetworkPolicyPort.protocol: SCTP TCP UDP
NodeSelectorRequirement.operator: DoesNotExist Exists Gt In Lt NotIn
NodeStatus.phase: Pending Running Terminated
ParamRef.parameterNotFoundAction: Allow Deny
PersistentVolumeClaimSpec.volumeMode: Block Filesystem
PersistentVolumeClaimStatus.phase: Bound Lost Pending
PersistentVolumeSpec.persistentVolumeReclaimPolicy: Delete Recycle Retain
PersistentVolumeSpec.volumeMode: Block Filesystem
PersistentVolumeStatus.phase: Available Bound Failed Pending Released
PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy: AlwaysAllow IfHealthyBudget
PodFailurePolicyOnExitCodesRequirement.operator: In NotIn
PodFailurePolicyRule.action: Count FailIndex FailJob Ignore
PodSecurityContext.fsGroupChangePolicy: Always OnRootMismatch
PodSpec.dnsPolicy: ClusterFirst ClusterFirstWithHostNet Default None
PodSpec.preemptionPolicy: Never PreemptLowerPriority
PodSpec.restartPolicy: Always Never OnFailure
PodStatus.phase: Failed Pending Running Succeeded Unknown
PodStatus.qosClass: BestEffort Burstable Guaranteed
PriorityClass.preemptionPolicy: Never PreemptLowerPriority
RuleWithOperations.scope: * Cluster Namespaced
SeccompProfile.type: Localhost RuntimeDefault Unconfined
SecurityContext.procMount: Default Unmasked
ServicePort.protocol: SCTP TCP UDP
ServiceSpec.externalTrafficPolicy: Cluster Local
ServiceSpec.internalTrafficPolicy: Cluster Local
ServiceSpec.ipFamilyPolicy: PreferDualStack RequireDualStack SingleStack
ServiceSpec.sessionAffinity: ClientIP None
ServiceSpec.type: ClusterIP ExternalName LoadBalancer NodePort
StatefulSetSpec.podManagementPolicy: OrderedReady Parallel
StatefulSetUpdateStrategy.type: OnDelete RollingUpdate
StorageClass.reclaimPolicy: Delete Recycle Retain
StorageClass.volumeBindingMode: Immediate WaitForFirstConsumer
Taint.effect: NoExecute NoSchedule PreferNoSchedule
Toleration.effect: NoExecute NoSchedule PreferNoSchedule
Toleration.operator: Equal Exists
TopologySpreadConstraint.nodeAffinityPolicy: Honor Ignore
TopologySpreadConstraint.nodeTaintsPolicy: Honor Ignore
TopologySpreadConstraint.whenUnsatisfiable: DoNotSchedule ScheduleAnyway
ValidatingAdmissionPolicySpec.failurePolicy: Fail Ignore
ValidatingWebhook.failurePolicy: Fail Ignore
ValidatingWebhook.matchPolicy: Equivalent Exact
ValidatingWebhook.sideEffects: None NoneOnDryRun Some Unknown
VolumeMount.mountPropagation: Bidirectional HostToContainer None
`

let texts: ReadonlyMap<string, readonly string[]> | undefined

const parse = (): ReadonlyMap<string, readonly string[]> =>
  new Map(
    table
      .trim()
      .split('\n')
      .map((line) => {
        const [field = '', list = ''] = line.split(': ')
        return [field, list.split(' ')]
      }),
  )

/** `Message.field` of every field that has a list. */
export const fieldsWithEnum = (): string[] => [...(texts ??= parse()).keys()]

/** undefined: any text may be there. */
export const enumOf = (message: string, field: string): readonly string[] | undefined =>
  (texts ??= parse()).get(`${message}.${field}`)

/** What upstream's schemas tell to be stored where a client leaves the field out; other defaults are not told there. */
const defaults: ReadonlyMap<string, string> = new Map([
  ['AzureDiskVolumeSource.cachingMode', 'ReadWrite'],
  ['AzureDiskVolumeSource.fsType', 'ext4'],
  ['AzureDiskVolumeSource.kind', 'Shared'],
  ['ContainerPort.protocol', 'TCP'],
  ['GRPCAction.service', ''],
  ['ISCSIPersistentVolumeSource.iscsiInterface', 'default'],
  ['ISCSIVolumeSource.iscsiInterface', 'default'],
  ['RBDPersistentVolumeSource.keyring', '/etc/ceph/keyring'],
  ['RBDPersistentVolumeSource.pool', 'rbd'],
  ['RBDPersistentVolumeSource.user', 'admin'],
  ['RBDVolumeSource.keyring', '/etc/ceph/keyring'],
  ['RBDVolumeSource.pool', 'rbd'],
  ['RBDVolumeSource.user', 'admin'],
  ['ScaleIOPersistentVolumeSource.fsType', 'xfs'],
  ['ScaleIOPersistentVolumeSource.storageMode', 'ThinProvisioned'],
  ['ScaleIOVolumeSource.fsType', 'xfs'],
  ['ScaleIOVolumeSource.storageMode', 'ThinProvisioned'],
  ['ServicePort.protocol', 'TCP'],
])

/** undefined: none. */
export const defaultOf = (message: string, field: string): string | undefined =>
  defaults.get(`${message}.${field}`)
