// What the fields of pods, services, volumes and statuses are for, in the notation of descriptions.ts.

export const fieldDescriptions: string = `
.type: Which of its kinds it is.
.readOnly: Whether nothing can be written there.
.fsType: The file system of the volume.
.secretRef: The secret that is meant, or has what is needed to sign in.
.path: The path.
.port: The port, by number or name.
.host: The host that is asked; the pod itself where it is left out.
.key: The key.
.value: The value.
.operator: How the values are compared.
.values: The values to compare with.
.optional: Whether it may be missing.
.items: Which of all keys are taken, and as what; all where it is left out.
.group: The group.
.version: The version.
.resource: The resource, by its plural name in small letters.
.uid: Tells the object from all others that ever had its name.
.hostname: The name of the host.
.nodeName: The node.
.user: The user.
.apiGroup: The group of the kind; the core group where it is left out.
.apiGroups: Groups of kinds; * means all.
.apiVersions: Versions of kinds; * means all.
.resourceNames: Names of objects; none means all.
.verbs: What may be done.
.rules: What is meant, one rule after the other.
.labelSelector: Which objects are meant, by their labels.
.namespaceSelector: Which namespaces are meant, by their labels.
.objectSelector: Which objects are meant, by their labels.
.phase: How far it has come, in a word.
.count: How often it happened.
.readyReplicas: How many pods are ready.
.availableReplicas: How many pods have been ready for long enough.
.updatedReplicas: How many pods are of the newest template.
.unavailableReplicas: How many pods are missing or not ready.
.currentReplicas: How many pods are of the current template.
.fullyLabeledReplicas: How many pods have all labels of the template.
.collisionCount: How often a name for a revision was taken already.
.currentRevision: The revision that pods had before.
.updateRevision: The revision that pods are to have.
.startTime: When it began.
.completionTime: When it was complete.
.active: How many pods run, or which jobs.
.succeeded: How many pods have succeeded.
.failed: How many pods have failed.
.secretName: The name of the secret.
.defaultMode: The mode of the files that name none of their own.
.mode: The mode of the file.
.driver: The driver for the storage.
.securityContext: With which rights processes run.
.runAsUser: The number of the user that processes run as.
.runAsGroup: The number of the group that processes run as.
.runAsNonRoot: Whether a container that would run as root is refused.
.fieldPath: The path of the field that is meant.
.fieldRef: A field of the pod.
.resourceFieldRef: A limit or request of a container.
.configMapKeyRef: A key of a ConfigMap.
.secretKeyRef: A key of a Secret.
.lifecycle: What is done after the container has started and before it is stopped.
.postStart: What is done once the container has started.
.preStop: What is done before the container is stopped.
.exec: A command that is run in the container.
.httpGet: A request of HTTP that is sent to the container.
.tcpSocket: A port that is connected to.
.grpc: A health service of gRPC that is asked.
.httpHeaders: Further headers of the request.
.scheme: HTTP or HTTPS.
.ready: Whether it is ready, or how many are.
.volumeMode: Filesystem, or Block for a bare device.
.volumeName: The name of the volume.
.backend: Where the request goes.
.targetRef: The object that the address is of.
.addresses: The addresses.
.appProtocol: What is spoken on the port.
.expirationSeconds: How long it is valid.
.terminationMessagePath: The file from which the last message of the container is read.
.terminationMessagePolicy: Where the last message is read from: File, or FallbackToLogsOnError.
.stdin: Whether there is standard input.
.stdinOnce: Whether standard input ends with the first client that leaves.
.tty: Whether there is a terminal.
.volumeDevices: Where volumes appear as bare devices.
.resizePolicy: Whether a change of resources restarts the container.
Container.restartPolicy: Always makes an init container run beside those that follow it.
ContainerStatus.state: What the container does now.
ContainerStatus.lastState: How it ended before.
ContainerStatus.restartCount: How often it was started again.
ContainerStatus.imageID: The image that it runs in fact.
ContainerStatus.containerID: The name that its runtime knows it by.
ContainerStatus.started: Whether its startup probe has succeeded.
ContainerState.waiting: It does not run yet.
ContainerState.running: It runs.
ContainerState.terminated: It has ended.
DaemonSetStatus.currentNumberScheduled: How many nodes have a pod that are to have one.
DaemonSetStatus.desiredNumberScheduled: How many nodes are to have a pod.
DaemonSetStatus.numberAvailable: How many nodes have a pod that has been ready for long enough.
DaemonSetStatus.numberMisscheduled: How many nodes have a pod that are to have none.
DaemonSetStatus.numberReady: How many nodes have a pod that is ready.
DaemonSetStatus.numberUnavailable: How many nodes are to have a pod and have none that is available.
DaemonSetStatus.updatedNumberScheduled: How many nodes have a pod of the newest template.
NodeStatus.images: Images that are on the node.
NodeStatus.nodeInfo: What runs on the machine, and which machine it is.
PersistentVolumeClaimSpec.dataSource: What the volume is filled with.
PersistentVolumeClaimSpec.volumeName: The volume that the claim is bound to.
PodSpec.activeDeadlineSeconds: How long the pod may run.
PodSpec.automountServiceAccountToken: Whether a token of the service account is mounted.
PodSpec.dnsConfig: Settings of the resolver, beside those of the policy.
PodSpec.dnsPolicy: Where names are resolved.
PodSpec.enableServiceLinks: Whether services become variables of the environment.
PodSpec.ephemeralContainers: Containers that were added to look into the pod.
PodSpec.hostAliases: Further lines of the hosts file.
PodSpec.hostIPC: Whether the pod uses the node's communication between processes.
PodSpec.hostPID: Whether the pod sees the processes of its node.
PodSpec.hostname: The host name of the pod; its name where it is left out.
PodSpec.imagePullSecrets: Secrets to fetch images with.
PodSpec.os: The operating system of the containers.
PodSpec.overhead: What running the pod takes beside its containers.
PodSpec.preemptionPolicy: Whether pods of lower priority may be evicted for it.
PodSpec.priority: How important the pod is, as a number.
PodSpec.readinessGates: Conditions that must hold too before the pod is ready.
PodSpec.runtimeClassName: The runtime of its containers.
PodSpec.schedulerName: Who finds a node for the pod.
PodSpec.schedulingGates: What must be taken away before a node is looked for.
PodSpec.serviceAccount: The old name of serviceAccountName.
PodSpec.setHostnameAsFQDN: Whether the host name is the full name of the pod.
PodSpec.shareProcessNamespace: Whether containers see each other's processes.
PodSpec.subdomain: The domain of the host name, a service without an address.
PodStatus.containerStatuses: How its containers are.
PodStatus.ephemeralContainerStatuses: How its ephemeral containers are.
PodStatus.hostIP: The address of its node.
PodStatus.initContainerStatuses: How its init containers are.
PodStatus.nominatedNodeName: The node on which room is made for the pod.
PodStatus.podIPs: The addresses of the pod.
PodStatus.qosClass: Who gives way first when a node has too little.
PodSecurityContext.fsGroup: The group that files of volumes belong to.
PodSecurityContext.supplementalGroups: Further groups of the processes.
PodSecurityContext.sysctls: Settings of the kernel.
SecurityContext.allowPrivilegeEscalation: Whether a process may get more rights than its parent.
SecurityContext.capabilities: Rights of root, one by one.
SecurityContext.privileged: Whether the container may do all that root of the node may.
SecurityContext.readOnlyRootFilesystem: Whether nothing can be written outside of volumes.
ServiceSpec.clusterIPs: The addresses, one for each family.
ServiceSpec.externalIPs: Addresses of nodes at which the service answers too.
ServiceSpec.externalTrafficPolicy: Whether traffic from outside stays on the node that it comes to.
ServiceSpec.healthCheckNodePort: The port at which nodes tell whether they have pods of the service.
ServiceSpec.internalTrafficPolicy: Whether traffic from inside stays on its node.
ServiceSpec.ipFamilies: The families of its addresses.
ServiceSpec.ipFamilyPolicy: Whether there is an address of one family or of both.
ServiceSpec.loadBalancerClass: Who makes the load balancer.
ServiceSpec.loadBalancerSourceRanges: Networks that may reach the load balancer.
ServiceSpec.publishNotReadyAddresses: Whether pods that are not ready are found too.
ServiceSpec.sessionAffinity: Whether a client stays with the pod that it first got.
TopologySpreadConstraint.maxSkew: By how many pods two places may differ.
TopologySpreadConstraint.topologyKey: The label of nodes that tells one place from another.
TopologySpreadConstraint.whenUnsatisfiable: Whether a pod waits or is placed all the same.
Taint.effect: What becomes of pods that do not tolerate it.
Toleration.effect: Which effect is tolerated; all where it is left out.
Toleration.tolerationSeconds: How long it is tolerated.
ValidatingAdmissionPolicySpec.auditAnnotations: What is written into the audit log of each request.
ValidatingAdmissionPolicySpec.failurePolicy: Whether a rule that fails refuses the request.
ValidatingAdmissionPolicySpec.matchConditions: Conditions on a request without which the policy is not asked.
ValidatingAdmissionPolicySpec.matchConstraints: Which requests the policy is about.
ValidatingAdmissionPolicySpec.paramKind: The kind of objects that rules take values from.
ValidatingAdmissionPolicySpec.validations: The rules.
ValidatingAdmissionPolicySpec.variables: Values that rules may use by name.
ValidatingAdmissionPolicyBindingSpec.matchResources: Which of the policy's requests are meant.
ValidatingAdmissionPolicyBindingSpec.paramRef: The objects that rules take values from.
ValidatingAdmissionPolicyBindingSpec.policyName: The policy.
ValidatingAdmissionPolicyBindingSpec.validationActions: What follows from a broken rule: Deny, Warn, Audit.
Validation.expression: What must be true, in CEL.
Validation.message: What is said when it is not.
Validation.messageExpression: The same, computed in CEL.
Affinity.nodeAffinity: Which nodes the pod must or should be on.
Affinity.podAffinity: Beside which pods it must or should be.
Affinity.podAntiAffinity: Beside which pods it must not or should not be.
Capabilities.add: Capabilities of Linux that are given.
Capabilities.drop: Capabilities of Linux that are taken away.
ContainerPort.hostIP: The address of the node that hostPort is opened at.
ContainerResizePolicy.resourceName: The resource whose change is meant.
CronJobSpec.failedJobsHistoryLimit: How many failed jobs are kept.
CronJobSpec.startingDeadlineSeconds: How late a job may still start.
CronJobSpec.successfulJobsHistoryLimit: How many jobs that succeeded are kept.
EnvFromSource.configMapRef: The ConfigMap whose keys become variables.
EnvFromSource.prefix: What is put before each name.
HPAScalingRules.policies: How much may change at a time; see selectPolicy.
HPAScalingRules.selectPolicy: Which policy counts: Max, Min, or Disabled for no change at all.
HPAScalingRules.stabilizationWindowSeconds: For how long the past is looked at before a change.
HPAScalingRules.tolerance: How far the metric may be off before anything changes.
HTTPIngressPath.pathType: How the path is compared: Exact, Prefix or ImplementationSpecific.
HTTPIngressRuleValue.paths: Paths, and where each leads.
HorizontalPodAutoscalerBehavior.scaleDown: How fast replicas are taken away.
HorizontalPodAutoscalerBehavior.scaleUp: How fast replicas are added.
HostAlias.hostnames: The names of the address.
HostAlias.ip: The address.
IPBlock.cidr: The network, e.g. 10.0.0.0/8.
IPBlock.except: Parts of the network that are not meant.
IngressBackend.service: The service, and its port.
IngressRule.http: What the paths of the host lead to.
IngressTLS.hosts: The hosts that the certificate is for.
JobSpec.backoffLimitPerIndex: After how many failed pods an index has failed.
JobSpec.managedBy: Who looks after the job, where it is not the controller of jobs.
JobSpec.manualSelector: Whether the selector is given by hand.
JobSpec.maxFailedIndexes: How many indexes may fail before the job does.
JobSpec.podFailurePolicy: What follows from which failures of pods.
JobSpec.podReplacementPolicy: Whether a pod is replaced when it ends, or when it has failed.
JobSpec.successPolicy: When the job counts as done before all of its pods are.
Lifecycle.stopSignal: The signal that ends the container.
LifecycleHandler.sleep: Waits for a while.
MetricSpec.containerResource: The use of a resource by one container of each pod.
MetricSpec.external: A metric of something outside of the cluster.
MetricSpec.object: A metric of one object.
MetricSpec.pods: A metric that each pod has.
MetricTarget.averageUtilization: The target as percentage of what pods request.
MetricTarget.averageValue: The target for each pod.
NetworkPolicyEgressRule.to: Where traffic may go; anywhere where it is left out.
NetworkPolicyIngressRule.from: Where traffic may come from; anywhere where it is left out.
NetworkPolicyPeer.ipBlock: A network.
NetworkPolicyPeer.podSelector: Pods, by their labels.
NetworkPolicyPort.endPort: The last port of a range that begins with port.
NetworkPolicySpec.egress: Traffic that may leave the pods.
NetworkPolicySpec.ingress: Traffic that may reach the pods.
NetworkPolicySpec.podSelector: The pods that the policy is about; empty means all of the namespace.
NetworkPolicySpec.policyTypes: Ingress, Egress or both: what the policy is about.
NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution: Nodes that are better than others.
NodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: Nodes that are possible at all.
NodeSelector.nodeSelectorTerms: One of these terms must hold.
NodeSelectorTerm.matchFields: Conditions on fields of the node.
ObjectMeta.deletionGracePeriodSeconds: How long the object had to end when its deletion began. Read only.
ObjectMeta.selfLink: Empty.
OwnerReference.blockOwnerDeletion: Whether the owner stays until this object is gone.
OwnerReference.controller: Whether the owner looks after the object.
PersistentVolumeClaimSpec.dataSourceRef: What the volume is filled with at first.
PersistentVolumeClaimSpec.volumeAttributesClassName: The class of attributes of the volume.
PodAffinity.preferredDuringSchedulingIgnoredDuringExecution: Pods that are good neighbours.
PodAffinity.requiredDuringSchedulingIgnoredDuringExecution: Pods that must be neighbours.
PodAffinityTerm.matchLabelKeys: Labels whose values must be those of the pod itself.
PodAffinityTerm.mismatchLabelKeys: Labels whose values must not be those of the pod itself.
PodAffinityTerm.namespaces: Where those pods are.
PodAffinityTerm.topologyKey: The label of nodes that tells one place from another.
PodAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution: Pods that are bad neighbours.
PodAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution: Pods that must not be neighbours.
PodDNSConfig.nameservers: Addresses of servers of names.
PodDNSConfig.options: Options of the resolver.
PodDNSConfig.searches: Domains that names are looked up in.
PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy: Whether pods that are not ready may always be evicted.
PodFailurePolicyRule.action: What follows: FailJob, FailIndex, Ignore or Count.
PodFailurePolicyRule.onExitCodes: Exit codes that the rule is about.
PodFailurePolicyRule.onPodConditions: Conditions of pods that the rule is about.
PodReadinessGate.conditionType: The condition that must hold before the pod is ready.
PodSecurityContext.appArmorProfile: The profile of AppArmor.
PodSecurityContext.fsGroupChangePolicy: Whether the group of a volume's files is always set.
PodSecurityContext.seLinuxOptions: The label of SELinux.
PodSecurityContext.seccompProfile: Which calls of the system are possible.
PodSecurityContext.supplementalGroupsPolicy: Whether the groups of the image count too.
PodSecurityContext.windowsOptions: What holds on Windows alone.
PodSpec.hostUsers: Whether the pod has the users of its node.
PodSpec.hostnameOverride: The name of the host, whatever the pod is called.
PodSpec.resourceClaims: Claims of devices that the containers may use.
PreferredSchedulingTerm.preference: The nodes.
PreferredSchedulingTerm.weight: How much it counts, 1 to 100.
ResourceFieldSelector.containerName: The container.
ResourceFieldSelector.divisor: The unit of the value.
ResourceRequirements.claims: Claims of devices that the container uses.
RollingUpdateStatefulSetStrategy.maxUnavailable: How many pods may be missing, as a number or percentage.
RollingUpdateStatefulSetStrategy.partition: Only pods with this number or a greater one are replaced.
SeccompProfile.localhostProfile: The file of the profile on the node.
SecurityContext.appArmorProfile: The profile of AppArmor.
SecurityContext.procMount: How /proc is mounted.
SecurityContext.seLinuxOptions: The label of SELinux.
SecurityContext.seccompProfile: Which calls of the system are possible.
SecurityContext.windowsOptions: What holds on Windows alone.
ServiceAccountTokenProjection.audience: Whom the token is for.
ServiceBackendPort.number: The number of the port.
ServiceSpec.allocateLoadBalancerNodePorts: Whether a load balancer gets ports of the nodes.
ServiceSpec.loadBalancerIP: The address that the load balancer should have.
ServiceSpec.sessionAffinityConfig: For how long a client stays with its pod.
ServiceSpec.trafficDistribution: Which pods are preferred, e.g. those nearby.
SleepAction.seconds: For how long.
StatefulSetOrdinals.start: The number of the first pod.
StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted: Retain or Delete: claims of a StatefulSet that is deleted.
StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled: Retain or Delete: claims of pods that are no longer wanted.
StatefulSetSpec.ordinals: How the pods are numbered.
StatefulSetSpec.persistentVolumeClaimRetentionPolicy: Whether claims go with what they were made for.
StatefulSetSpec.updateStrategy: How pods of an old template are replaced.
StatefulSetUpdateStrategy.rollingUpdate: Which pods are replaced, and how many at a time.
SuccessPolicyRule.succeededCount: How many indexes must have succeeded.
SuccessPolicyRule.succeededIndexes: Which indexes must have succeeded.
TopologySpreadConstraint.matchLabelKeys: Labels whose values must be those of the pod itself.
TopologySpreadConstraint.minDomains: How many places there must be at least.
TopologySpreadConstraint.nodeAffinityPolicy: Whether only nodes count that the pod may be on.
TopologySpreadConstraint.nodeTaintsPolicy: Whether only nodes count whose taints are tolerated.
Volume.csi: A volume of a driver for storage.
Volume.downwardAPI: Fields of the pod as files.
Volume.ephemeral: A claim that lives as long as the pod.
Volume.nfs: A folder of a server of NFS.
Volume.projected: Several sources in one folder.
VolumeDevice.devicePath: Where the device appears in the container.
VolumeMount.mountPropagation: Whether mounts that are made later are seen on the other side.
VolumeMount.recursiveReadOnly: Whether mounts below it can only be read, too.
VolumeMount.subPath: The part of the volume that is mounted.
VolumeMount.subPathExpr: The same, with $(VARIABLE) for variables of the environment.
VolumeProjection.configMap: The keys of a ConfigMap as files.
VolumeProjection.downwardAPI: Fields of the pod as files.
VolumeProjection.secret: The keys of a Secret as files.
VolumeProjection.serviceAccountToken: A token of the pod's service account.
WeightedPodAffinityTerm.podAffinityTerm: The pods, and what counts as beside them.
WeightedPodAffinityTerm.weight: How much it counts, 1 to 100.
`
