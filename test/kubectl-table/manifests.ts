// The files that the command lines name, as `m/NAME.yaml` below the folder they run in.

const template = (app: string, image = 'nginx:1'): string =>
  `{metadata: {labels: {app: ${app}}}, spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: '${image}'}]}}`

const deployment = (
  name: string,
  replicas: number,
  image = 'nginx:1',
): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template: ${template(name, image)}
`

export const manifests: Readonly<Record<string, string>> = {
  cm: `apiVersion: v1
kind: ConfigMap
metadata: {name: cm1, labels: {a: b}}
data: {a: "1"}
`,
  cm2: `apiVersion: v1
kind: ConfigMap
metadata: {name: cm1, labels: {a: b}}
data: {a: "2", c: d}
`,
  bad: `apiVersion: v1
kind: ConfigMap
metadata: {name: cmbad}
datax: {a: "1"}
`,
  web: deployment('web', 2),
  dep: deployment('d1', 1),
  dep2: deployment('d1', 2, 'nginx:2'),
  dd1: `${deployment('dd1', 1)}---
apiVersion: v1
kind: Service
metadata: {name: dd1}
spec: {selector: {app: dd1}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: dd1}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: dd1}
  minReplicas: 1
  maxReplicas: 3
  targetCPUUtilizationPercentage: 50
`,
  dz: deployment('dz', 1),
  sts: `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ss}
spec:
  replicas: 2
  serviceName: ss
  selector: {matchLabels: {app: ss}}
  template: ${template('ss')}
`,
  ds: `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: dd}
spec:
  selector: {matchLabels: {app: dd}}
  template: ${template('dd')}
`,
  rest: `apiVersion: batch/v1
kind: Job
metadata: {name: jj}
spec:
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, 'echo done; sleep 60']}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cc}
spec:
  schedule: '*/5 * * * *'
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [echo, hi]}]}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pp}
spec: {minAvailable: 1, selector: {matchLabels: {app: dd1}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ii}
spec:
  rules: [{host: foo.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: dd1, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: qq}
spec: {hard: {pods: '100'}}
`,
  rbac: `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: recon}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: recon}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: recon}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]
`,
  crd: `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.ex.com}
spec:
  group: ex.com
  scope: Namespaced
  names: {plural: foos, singular: foo, kind: Foo, shortNames: [fo]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns: [{name: Replicas, type: integer, jsonPath: .spec.replicas}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {replicas: {type: integer, description: How many.}}}
          status: {type: object, properties: {replicas: {type: integer}}}
`,
  foo: `apiVersion: ex.com/v1
kind: Foo
metadata: {name: f1}
spec: {replicas: 1}
`,
  served: `apiVersion: v1
kind: Pod
metadata: {name: served, labels: {app: served}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: node
    command:
    - node
    - -e
    - require("http").createServer((q, r) => r.end("served " + q.method + " " + q.url)).listen(8080, process.env.POD_IP)
    ports: [{containerPort: 8080}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: served}
spec: {selector: {app: served}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: failing}
spec:
  containers: [{name: c, image: sh, command: [sh, -c, 'for i in 1 2 3 4 5; do echo line $i; done; exit 1']}]
`,
  budget: `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: all-of-guarded}
spec: {minAvailable: 1, selector: {matchLabels: {app: guarded}}}
`,
}
