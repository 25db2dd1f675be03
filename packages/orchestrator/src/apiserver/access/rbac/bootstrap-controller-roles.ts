// The roles of the controllers, one each: `system:controller:NAME`, bound to the service account NAME of kube-system, which each
// controller acts as. Written as bootstrap-roles.ts writes roles.

export const controllerRoles: string = `
attachdetach-controller
  list,watch core persistentvolumes,persistentvolumeclaims
  read core nodes
  patch,update core nodes/status
  list,watch core pods
  create,patch,update core,events.k8s.io events
  read,create,delete,patch storage.k8s.io volumeattachments
  patch,update storage.k8s.io volumeattachments/status
  read storage.k8s.io csidrivers,csinodes
clusterrole-aggregation-controller
  escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles
cronjob-controller
  get,list,update,watch batch cronjobs
  create,delete,get,list,patch,update,watch batch jobs
  patch,update batch cronjobs/status
  update batch cronjobs/finalizers
  delete,list core pods
  create,patch,update core,events.k8s.io events
daemon-set-controller
  read apps,extensions daemonsets
  patch,update apps,extensions daemonsets/status
  update apps,extensions daemonsets/finalizers
  list,watch core nodes
  create,delete,list,patch,watch core pods
  create core pods/binding
  create,delete,get,list,patch,update,watch apps controllerrevisions
  create,patch,update core,events.k8s.io events
deployment-controller
  get,list,patch,update,watch apps,extensions deployments
  patch,update apps,extensions deployments/status
  update apps,extensions deployments/finalizers
  create,delete,get,list,patch,update,watch apps,extensions replicasets
  get,list,update,watch core pods
  create,patch,update core,events.k8s.io events
disruption-controller
  read apps,extensions deployments,replicasets
  read core replicationcontrollers
  read policy poddisruptionbudgets
  read apps statefulsets
  patch,update policy poddisruptionbudgets/status
  list,watch core pods
  patch,update core pods/status
  get * */scale
  create,patch,update core,events.k8s.io events
endpoint-controller
  read core pods,services
  create,delete,get,list,patch,update,watch core endpoints
  create core endpoints/restricted
  create,patch,update core,events.k8s.io events
endpointslice-controller
  read core nodes,pods,services
  update core services/finalizers
  create,delete,get,list,patch,update,watch discovery.k8s.io endpointslices
  create discovery.k8s.io endpointslices/restricted
  create,patch,update core,events.k8s.io events
endpointslicemirroring-controller
  read core endpoints,services
  update core services/finalizers,endpoints/finalizers
  create,delete,get,list,patch,update,watch discovery.k8s.io endpointslices
  create discovery.k8s.io endpointslices/restricted
  create,patch,update core,events.k8s.io events
ephemeral-volume-controller
  update core pods/finalizers
  read core pods
  create,get,list,watch core persistentvolumeclaims
  create,patch,update core,events.k8s.io events
expand-controller
  read,patch,update core persistentvolumes
  patch,update core persistentvolumeclaims/status
  read core persistentvolumeclaims
  read storage.k8s.io storageclasses
  create,patch,update core,events.k8s.io events
generic-garbage-collector
  delete,get,list,patch,update,watch * *
  create,patch,update core,events.k8s.io events
horizontal-pod-autoscaler
  read autoscaling horizontalpodautoscalers
  patch,update autoscaling horizontalpodautoscalers/status
  get,update,patch * */scale
  list core pods
  list metrics.k8s.io pods
  get,list custom.metrics.k8s.io *
  get,list external.metrics.k8s.io *
  create,patch,update core,events.k8s.io events
job-controller
  get,list,patch,update,watch batch jobs
  patch,update batch jobs/status
  update batch jobs/finalizers
  create,delete,get,list,patch,update,watch core pods
  create,patch,update core,events.k8s.io events
namespace-controller
  delete,get,list,watch core namespaces
  update core namespaces/finalize,namespaces/status
  delete,deletecollection,get,list * *
  create,patch,update core,events.k8s.io events
node-controller
  delete,get,list,patch,update,watch core nodes
  patch,update core nodes/status
  patch,update core pods/status
  delete,get,list core pods
  create,patch,update core,events.k8s.io events
persistent-volume-binder
  create,delete,get,list,patch,update,watch core persistentvolumes
  patch,update core persistentvolumes/status
  get,list,patch,update,watch core persistentvolumeclaims
  patch,update core persistentvolumeclaims/status
  create,delete,get,list,watch core pods
  read storage.k8s.io storageclasses
  read core nodes
  create,get,delete core endpoints,services
  get core secrets
  create,patch,update core,events.k8s.io events
pod-garbage-collector
  delete,list,watch core pods
  get,list,watch core nodes
  patch core pods/status
  create,patch,update core,events.k8s.io events
replicaset-controller
  get,list,patch,update,watch apps,extensions replicasets
  patch,update apps,extensions replicasets/status
  update apps,extensions replicasets/finalizers
  create,delete,get,list,patch,update,watch core pods
  create,patch,update core,events.k8s.io events
replication-controller
  get,list,patch,update,watch core replicationcontrollers
  patch,update core replicationcontrollers/status
  update core replicationcontrollers/finalizers
  create,delete,get,list,patch,update,watch core pods
  create,patch,update core,events.k8s.io events
resourcequota-controller
  list,watch * *
  patch,update core resourcequotas/status
  create,patch,update core,events.k8s.io events
root-ca-cert-publisher
  create,get,list,patch,update,watch core configmaps
  create,patch,update core,events.k8s.io events
service-account-controller
  create core serviceaccounts
  create,patch,update core,events.k8s.io events
token-controller
  create,delete,get,list,update,watch core secrets
  get,list,update,watch core serviceaccounts
  create,patch,update core,events.k8s.io events
statefulset-controller
  list,watch core pods
  read apps statefulsets
  patch,update apps statefulsets/status
  update apps statefulsets/finalizers
  create,delete,get,patch,update core pods
  create,delete,get,list,patch,update,watch apps controllerrevisions
  create,get,list,watch,update,delete core persistentvolumeclaims
  create,patch,update core,events.k8s.io events
ttl-controller
  list,patch,update,watch core nodes
  create,patch,update core,events.k8s.io events
ttl-after-finished-controller
  delete,get,list,watch batch jobs
  create,patch,update core,events.k8s.io events
certificate-controller
  delete,get,list,watch certificates.k8s.io certificatesigningrequests
  update certificates.k8s.io certificatesigningrequests/status,certificatesigningrequests/approval
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
  sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown
  create authorization.k8s.io subjectaccessreviews
  create,patch,update core,events.k8s.io events
pvc-protection-controller
  get,list,update,watch core persistentvolumeclaims
  read core pods
  create,patch,update core,events.k8s.io events
pv-protection-controller
  get,list,update,watch core persistentvolumes
  create,patch,update core,events.k8s.io events
service-controller
  read core services
  patch,update core services/status
  list,watch core nodes
  create,patch,update core,events.k8s.io events
`

/** Roles within namespaces: `NAMESPACE/NAME`; and their bindings: `NAMESPACE/ROLE KIND:NAME`. */
export const namespaceRoles: string = `
kube-system/extension-apiserver-authentication-reader
  read core configmaps extension-apiserver-authentication
kube-system/system::leader-locking-kube-controller-manager
  read core configmaps
  get,update core configmaps kube-controller-manager
kube-system/system::leader-locking-kube-scheduler
  read core configmaps
  get,update core configmaps kube-scheduler
kube-system/system:controller:bootstrap-signer
  read core secrets
kube-system/system:controller:token-cleaner
  read,delete core secrets
  create,patch,update core,events.k8s.io events
kube-public/system:controller:bootstrap-signer
  read core configmaps
  update core configmaps cluster-info
  create,patch,update core,events.k8s.io events
kube-public/kubeadm:bootstrap-signer-clusterinfo
  get core configmaps cluster-info
`

export const namespaceBindings: string = `
kube-system/extension-apiserver-authentication-reader User:system:kube-controller-manager User:system:kube-scheduler
kube-system/system::leader-locking-kube-controller-manager User:system:kube-controller-manager ServiceAccount:kube-system/kube-controller-manager
kube-system/system::leader-locking-kube-scheduler User:system:kube-scheduler ServiceAccount:kube-system/kube-scheduler
kube-system/system:controller:bootstrap-signer ServiceAccount:kube-system/bootstrap-signer
kube-system/system:controller:token-cleaner ServiceAccount:kube-system/token-cleaner
kube-public/system:controller:bootstrap-signer ServiceAccount:kube-system/bootstrap-signer
kube-public/kubeadm:bootstrap-signer-clusterinfo User:system:anonymous Group:system:unauthenticated Group:system:authenticated
`
