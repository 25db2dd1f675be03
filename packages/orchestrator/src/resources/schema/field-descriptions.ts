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
`
