// What kinds and their commonest fields are for, in a sentence: shown by `kubectl explain` and by editors. `Message` about a message,
// `Message.field` about one of its fields, `.field` about every field of that name that has no text of its own.
import { fieldDescriptions } from './field-descriptions.ts'

const table = `
.apiVersion: The version of the API that the object is written in, e.g. apps/v1.
.kind: The kind of the object.
.metadata: The name, labels and other data that all objects have.
.spec: What is wanted.
.status: What is, as the system last saw it. Read only.
.conditions: What has been found out about the object, one entry a question.
.selector: Which objects belong to it, by their labels.
.template: What the objects that are made from it look like.
.replicas: How many there are to be.
.minReadySeconds: How long a pod must be ready before it counts as available.
.revisionHistoryLimit: How many old revisions are kept to go back to.
.observedGeneration: The generation of the spec that the status is about.
.lastTransitionTime: When the condition last changed from one status to another.
.reason: Why, in one word for programs.
.message: Why, in words for people.
.matchLabels: Labels that must all have these values.
.matchExpressions: Conditions on labels that must all hold.
.labels: Key and value pairs to find and group objects by.
.annotations: Key and value pairs that tools keep with the object; objects are not found by them.
.namespace: The namespace of the object.
.name: The name.
.image: The image that the container runs.
.command: What is run instead of the image's entrypoint.
.args: The arguments of the command.
.env: Variables of the environment of the container.
.envFrom: Objects whose every key becomes a variable of the environment.
.ports: Ports that are open.
.protocol: TCP, UDP or SCTP.
.volumeMounts: Where volumes appear in the container's file system.
.volumes: Volumes that containers of the pod may mount.
.resources: How much of the node's resources the container needs and may use at most.
.limits: The most that may be used of each resource.
.requests: What is kept free for it of each resource.
.livenessProbe: How to find out that the container must be restarted.
.readinessProbe: How to find out that the container can serve requests.
.startupProbe: How to find out that the container has started; other probes wait for it.
.initialDelaySeconds: How long after the start of the container the first probe runs.
.periodSeconds: How often the probe runs.
.timeoutSeconds: After how long it counts as failed.
.failureThreshold: How many failures in a row count as a failure.
.successThreshold: How many successes in a row count as a success.
.tolerations: Taints of nodes that do not keep the pod away.
.affinity: Which nodes the pod must or should be on, and beside which pods.
.nodeSelector: Labels that the node must have.
.terminationGracePeriodSeconds: How long the processes have to end before they are killed.
.serviceAccountName: The service account that the pod runs as.
.restartPolicy: When containers that have ended are started again: Always, OnFailure or Never.
.accessModes: How the volume may be mounted.
.storageClassName: The class of storage that the volume is of.
.loadBalancer: Where the load balancer can be reached.
ConfigMap: Settings as text or bytes, for pods to read as files or variables.
ConfigMap.data: Settings as text, by key.
ConfigMap.binaryData: Settings as bytes, by key, in base64.
ConfigMap.immutable: Whether the settings can never be changed again.
Container: One program of a pod.
Container.workingDir: The folder that the program starts in.
Container.imagePullPolicy: When the image is fetched: Always, IfNotPresent or Never.
Container.securityContext: With which rights the container runs.
ContainerPort: A port that a container listens on.
ContainerPort.containerPort: The number of the port, 1 to 65535.
ContainerPort.hostPort: The number of the port on the node itself.
ControllerRevision: A state of a DaemonSet or StatefulSet that can be gone back to.
CronJob: Makes a Job whenever its schedule says so.
CronJobSpec.schedule: When jobs start, as the five fields of cron.
CronJobSpec.timeZone: The time zone that the schedule is meant in.
CronJobSpec.concurrencyPolicy: What happens while a job still runs: Allow, Forbid or Replace.
CronJobSpec.suspend: Whether no more jobs are started.
CronJobSpec.jobTemplate: What the jobs look like.
CSIDriver: What the cluster has to know of a driver for storage.
CSINode: Which drivers for storage a node has.
CSIStorageCapacity: How much storage of a class there is in a place.
CustomResourceDefinition: Adds a kind to the API.
DaemonSet: Runs a pod on every node that it fits.
DaemonSetSpec.updateStrategy: How pods of an old template are replaced.
Deployment: Keeps a number of pods running and replaces them step by step when their template changes.
DeploymentSpec: What a Deployment is to keep running.
DeploymentSpec.strategy: How pods of an old template give way to new ones.
DeploymentSpec.paused: Whether changes of the template wait.
DeploymentSpec.progressDeadlineSeconds: After how long without progress the rollout counts as failed.
DeploymentStatus: How far a Deployment has come.
DeploymentStrategy: How pods of an old template give way to new ones.
DeploymentStrategy.type: RollingUpdate or Recreate.
DeploymentStrategy.rollingUpdate: How many pods are replaced at a time.
RollingUpdateDeployment.maxSurge: How many pods there may be above the wanted number, as a number or percentage.
RollingUpdateDeployment.maxUnavailable: How many pods may be missing, as a number or percentage.
Endpoints: The addresses behind a service. EndpointSlice has taken its place.
EndpointSlice: Some of the addresses behind a service.
EnvVar: A variable of the environment.
EnvVar.value: Its value; $(NAME) stands for the value of another variable.
EnvVar.valueFrom: Where its value is taken from.
Event: Something that happened to an object, for people to read. Events are kept for an hour.
FlowSchema: Which requests are of which priority level.
HorizontalPodAutoscaler: Keeps a metric near its target by changing the number of pods of a workload.
HorizontalPodAutoscalerSpec.scaleTargetRef: The workload whose replicas are changed.
HorizontalPodAutoscalerSpec.minReplicas: The least number of replicas.
HorizontalPodAutoscalerSpec.maxReplicas: The greatest number of replicas.
HorizontalPodAutoscalerSpec.metrics: The metrics and their targets; the one that asks for most replicas wins.
HorizontalPodAutoscalerSpec.behavior: How fast replicas are added and taken away.
Ingress: Which hosts and paths of HTTP lead to which services.
IngressSpec.rules: What leads where, by host and path.
IngressSpec.tls: Hosts that are served over TLS, and the secrets with their certificates.
IngressSpec.defaultBackend: Where requests go that no rule is for.
IngressSpec.ingressClassName: The class, which says who serves the ingress.
IngressClass: A controller that serves ingresses, and its settings.
IPAddress: An address that a service or something else has.
IPAddressSpec.parentRef: Whose address it is.
Job: Runs pods until enough of them have succeeded.
JobSpec.completions: How many pods have to succeed.
JobSpec.parallelism: How many pods run at the same time.
JobSpec.backoffLimit: After how many failed pods the job has failed.
JobSpec.activeDeadlineSeconds: How long the job may run.
JobSpec.ttlSecondsAfterFinished: How long after its end the job is deleted.
JobSpec.completionMode: NonIndexed, or Indexed where each pod has a number of its own.
JobSpec.suspend: Whether no pods run for now.
LabelSelector: Which objects are meant, by their labels. An empty one means all.
Lease: Who holds something and until when.
LimitRange: Bounds and defaults for what pods of a namespace may ask for.
Namespace: A place of its own for names.
NetworkPolicy: Which traffic pods may have.
Node: A machine that runs pods.
NodeSpec.unschedulable: Whether no new pods are placed on it.
NodeSpec.taints: What keeps pods away that do not tolerate it.
NodeStatus.capacity: What the machine has.
NodeStatus.allocatable: What pods may use of it.
ObjectMeta: The data that all objects have.
ObjectMeta.generateName: How a name begins that the server completes.
ObjectMeta.uid: Tells the object from all others that ever had its name. Read only.
ObjectMeta.resourceVersion: The version of the object, which changes with every write. Read only.
ObjectMeta.generation: Counts the changes of what is wanted. Read only.
ObjectMeta.creationTimestamp: When the object was created. Read only.
ObjectMeta.deletionTimestamp: When the object is to be gone. Read only.
ObjectMeta.ownerReferences: The objects that it belongs to and goes with.
ObjectMeta.finalizers: Who still has work to do before the object may go.
ObjectMeta.managedFields: Who set which field.
PersistentVolume: A piece of storage.
PersistentVolumeClaim: A wish for storage, and the volume that fulfils it.
Pod: Containers that run together on one node.
PodSpec: What a pod runs and where it may run.
PodSpec.containers: The programs of the pod. There must be one at least.
PodSpec.initContainers: Programs that run one after the other before all others.
PodSpec.nodeName: The node that the pod is on; the scheduler sets it.
PodSpec.hostNetwork: Whether the pod uses the network of its node.
PodSpec.priorityClassName: How important the pod is.
PodSpec.topologySpreadConstraints: How evenly pods are spread over zones, nodes and the like.
PodStatus.phase: Pending, Running, Succeeded, Failed or Unknown.
PodStatus.podIP: The address of the pod.
PodDisruptionBudget: How many pods may be missing when someone evicts them.
PodDisruptionBudgetSpec.minAvailable: How many pods must stay, as a number or percentage.
PodDisruptionBudgetSpec.maxUnavailable: How many pods may be missing, as a number or percentage.
PodTemplate: A template of pods, kept by itself.
PodTemplateSpec: What pods made from it look like.
PriorityClass: A name for how important pods are.
PriorityLevelConfiguration: How many requests of a priority level are served at a time.
Probe: A question to a container, asked again and again.
ReplicaSet: Keeps a number of pods of one template running. A Deployment makes it.
ReplicationController: Keeps a number of pods running. Deployment has taken its place.
ResourceQuota: How much all objects of a namespace together may use.
Role: Rights in a namespace.
ClusterRole: Rights in the whole cluster.
RoleBinding: Who has the rights of a role in a namespace.
ClusterRoleBinding: Who has the rights of a role everywhere.
PolicyRule: What may be done to which resources.
RuntimeClass: A way to run containers.
Secret: Settings that not everybody may see.
Secret.data: The settings as bytes, by key, in base64.
Secret.stringData: Settings as text, by key, which are added to data. Never shown.
Secret.type: What programs expect of its keys.
Service: A name and an address for a changing set of pods.
ServiceSpec.type: ClusterIP, NodePort, LoadBalancer or ExternalName.
ServiceSpec.clusterIP: The address; None for a service without one.
ServiceSpec.externalName: The name that the service stands for.
ServicePort.port: The port of the service.
ServicePort.targetPort: The port of the pods, by number or name.
ServicePort.nodePort: The port on every node.
ServiceCIDR: Networks that services have their addresses of.
ServiceCIDRSpec.cidrs: The networks, one for each family of addresses.
ServiceAccount: An identity that pods run under.
StatefulSet: Keeps pods running that each have a name and storage of their own.
StatefulSetSpec.serviceName: The service that gives the pods their names in the network.
StatefulSetSpec.volumeClaimTemplates: Claims that are made for each pod.
StatefulSetSpec.podManagementPolicy: OrderedReady, or Parallel where pods do not wait for each other.
StorageClass: A kind of storage and who makes volumes of it.
Volume: A folder that containers of a pod may mount.
Volume.emptyDir: A folder that lives as long as the pod.
Volume.hostPath: A file or folder of the node.
Volume.configMap: The keys of a ConfigMap as files.
Volume.secret: The keys of a Secret as files.
Volume.persistentVolumeClaim: The volume that a claim has.
VolumeAttachment: A volume that is or should be attached to a node.
VolumeMount: Where a volume appears in a container.
VolumeMount.mountPath: The folder that it appears as.
APIService: A group version that another server answers for.
CertificateSigningRequest: A wish for a certificate, and the certificate once it is signed.
MutatingWebhookConfiguration: Servers that may change objects before they are stored.
ValidatingWebhookConfiguration: Servers that may refuse objects before they are stored.
MutatingAdmissionPolicy: Changes that are made to objects before they are stored.
MutatingAdmissionPolicyBinding: Where the changes of a policy are made.
Mutation.applyConfiguration: The change as a part of an object, which is merged into it.
Mutation.jsonPatch: The change as operations of a JSON patch.
Mutation.patchType: Which of the two it is.
ValidatingAdmissionPolicy: Rules that objects must keep to be stored.
ValidatingAdmissionPolicyBinding: Where the rules of a policy hold.
`

let texts: ReadonlyMap<string, string> | undefined

const parse = (): Map<string, string> =>
  new Map(
    `${table.trim()}\n${fieldDescriptions.trim()}`.split('\n').map((line) => {
      const end = line.indexOf(': ')
      return [line.slice(0, end), line.slice(end + 2)]
    }),
  )

/** What there is a text about. */
export const describedNames = (): string[] => [...(texts ??= parse()).keys()]

/** Of a message, or of one of its fields; undefined: there is none. */
export const descriptionOf = (message: string, field?: string): string | undefined => {
  texts ??= parse()
  if (field === undefined) return texts.get(message)
  return texts.get(`${message}.${field}`) ?? texts.get(`.${field}`)
}
