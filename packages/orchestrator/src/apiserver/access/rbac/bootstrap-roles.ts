// The roles for people and for programs that every cluster has, as upstream defines them. One role a paragraph: its name, labels with `+`, then a rule a
// line: verbs, groups, resources and perhaps names, each a comma list. `core` is the group without a name; `url` in place of
// groups makes a rule about paths; `read`, `write` and `all` stand for the usual verbs.

export const userRoles: string = `
cluster-admin
  * * *
  * url *
admin +aggregates:admin
edit +aggregates:edit +to:admin
view +aggregates:view +to:edit
system:aggregate-to-admin +to:admin
  create authorization.k8s.io localsubjectaccessreviews
  all rbac.authorization.k8s.io roles,rolebindings
system:aggregate-to-edit +to:edit
  read core pods/attach,pods/proxy,pods/exec,pods/portforward,secrets,services/proxy
  impersonate core serviceaccounts
  write core pods,pods/attach,pods/proxy,pods/exec,pods/portforward
  create core pods/eviction
  write core replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/proxy,persistentvolumeclaims,configmaps,secrets,events
  create core serviceaccounts/token
  write apps statefulsets,statefulsets/scale,daemonsets,deployments,deployments/scale,deployments/rollback,replicasets,replicasets/scale
  write autoscaling horizontalpodautoscalers
  write batch jobs,cronjobs
  write extensions daemonsets,deployments,deployments/scale,deployments/rollback,ingresses,replicasets,replicasets/scale,replicationcontrollers/scale,networkpolicies
  write policy poddisruptionbudgets
  write networking.k8s.io networkpolicies,ingresses
  all coordination.k8s.io leases
system:aggregate-to-view +to:view
  read core pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,configmaps
  read core limitranges,resourcequotas,bindings,events,pods/status,resourcequotas/status,namespaces/status,replicationcontrollers/status,pods/log
  read core namespaces
  read discovery.k8s.io endpointslices
  read apps controllerrevisions,statefulsets,statefulsets/status,statefulsets/scale,daemonsets,daemonsets/status,deployments,deployments/status,deployments/scale,replicasets,replicasets/status,replicasets/scale
  read autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
  read batch jobs,jobs/status,cronjobs,cronjobs/status
  read extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale,networkpolicies
  read policy poddisruptionbudgets,poddisruptionbudgets/status
  read networking.k8s.io networkpolicies,ingresses,ingresses/status
system:discovery
  get url /livez,/readyz,/healthz,/version,/version/,/openapi,/openapi/*,/api,/api/*,/apis,/apis/*
system:public-info-viewer
  get url /livez,/readyz,/healthz,/version,/version/
system:monitoring
  get url /metrics,/metrics/slis,/livez,/readyz,/healthz,/livez/*,/readyz/*,/healthz/*
system:basic-user
  create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
  create authentication.k8s.io selfsubjectreviews
system:service-account-issuer-discovery
  get url /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/
system:auth-delegator
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
system:kube-aggregator
  read core services,endpoints
system:kubelet-api-admin
  read,proxy core nodes
  * core nodes/proxy,nodes/metrics,nodes/stats,nodes/log,nodes/spec,nodes/configz,nodes/healthz,nodes/pods
system:node-bootstrapper
  create,read certificates.k8s.io certificatesigningrequests
kubeadm:get-nodes
  get core nodes
system:certificates.k8s.io:certificatesigningrequests:nodeclient
  create certificates.k8s.io certificatesigningrequests/nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
  create certificates.k8s.io certificatesigningrequests/selfnodeclient
system:certificates.k8s.io:kube-apiserver-client-approver
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
system:certificates.k8s.io:kubelet-serving-approver
  approve certificates.k8s.io signers kubernetes.io/kubelet-serving
system:certificates.k8s.io:legacy-unknown-approver
  approve certificates.k8s.io signers kubernetes.io/legacy-unknown
system:persistent-volume-provisioner
  read,create,delete core persistentvolumes
  read,update core persistentvolumeclaims
  read storage.k8s.io storageclasses
  read core events
  create,update,patch core,events.k8s.io events
system:node-proxier
  list,watch core services,endpoints
  read core nodes
  create,update,patch core,events.k8s.io events
  list,watch discovery.k8s.io endpointslices
system:kube-dns
  list,watch core endpoints,services
system:node
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews,localsubjectaccessreviews
  read core services
  read,create core nodes
  update,patch core nodes/status
  update,patch core nodes
  create,update,patch core,events.k8s.io events
  read core pods
  create,delete core pods
  update,patch core pods/status
  create core pods/eviction
  read core secrets,configmaps
  get core persistentvolumeclaims,persistentvolumes
  get core endpoints
  create,read certificates.k8s.io certificatesigningrequests
  create,delete,get,patch,update coordination.k8s.io leases
  get storage.k8s.io volumeattachments
  create core serviceaccounts/token
  get,update,patch core persistentvolumeclaims/status
  read storage.k8s.io csidrivers
  create,delete,get,patch,update storage.k8s.io csinodes
  read node.k8s.io runtimeclasses
system:node-problem-detector
  get core nodes
  patch core nodes/status
  create,update,patch core,events.k8s.io events
system:kube-scheduler
  create,update,patch core,events.k8s.io events
  create coordination.k8s.io leases
  read,update,patch coordination.k8s.io leases
  read core nodes
  delete,read core pods
  create core pods/binding,bindings
  patch,update core pods/status
  read core services,replicationcontrollers
  read apps,extensions replicasets
  read apps statefulsets
  read policy poddisruptionbudgets
  read core persistentvolumeclaims,persistentvolumes
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  read storage.k8s.io csinodes,csidrivers,csistoragecapacities,volumeattachments
  read core namespaces
  read resource.k8s.io deviceclasses,resourceslices,resourceclaims
system:volume-scheduler
  read,patch,update core persistentvolumes
  read storage.k8s.io storageclasses
  read,patch,update core persistentvolumeclaims
system:kube-controller-manager
  create,update,patch core,events.k8s.io events
  create,read,update,patch coordination.k8s.io leases
  create core secrets,serviceaccounts
  delete core secrets
  get core configmaps,namespaces,secrets,serviceaccounts
  update core secrets,serviceaccounts
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  list,watch * *
  create core serviceaccounts/token
`

/** Who has which of them: `ROLE KIND:NAME...`. */
export const userBindings: string = `
cluster-admin Group:system:masters
system:monitoring Group:system:monitoring
system:discovery Group:system:authenticated
system:basic-user Group:system:authenticated
system:public-info-viewer Group:system:authenticated Group:system:unauthenticated
system:node-proxier User:system:kube-proxy Group:system:nodes
system:node-bootstrapper Group:system:bootstrappers
kubeadm:get-nodes Group:system:bootstrappers
system:kube-controller-manager User:system:kube-controller-manager
system:kube-dns ServiceAccount:kube-system/kube-dns
system:kube-scheduler User:system:kube-scheduler
system:volume-scheduler User:system:kube-scheduler
system:node
system:service-account-issuer-discovery Group:system:serviceaccounts
`
