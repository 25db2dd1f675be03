// Reading: get in every form, describe, what the cluster is.
import { prepare, type Command } from '../command.ts'

const podTable =
  /^NAME +READY +STATUS +RESTARTS +AGE\nweb-\S+ +1\/1 +Running +0 +\d+s\nweb-\S+ +1\/1/m

export const reading: readonly Command[] = [
  prepare('K apply -f m/web.yaml'),
  prepare('K rollout status deploy/web --timeout=20s'),
  { line: 'K version', out: /^Server Version: .*v1\.\d+/m },
  { line: 'K api-resources', out: /^NAME +SHORTNAMES +APIVERSION[^]*^pods +po +v1 +true +Pod$/m },
  {
    line: 'K api-resources --verbs=list --namespaced -o name',
    out: /^configmaps$[^]*^pods$[^]*^deployments\.apps$/m,
  },
  {
    line: 'K api-resources --api-group=apps',
    out: /^deployments +deploy +apps\/v1 +true +Deployment$/m,
  },
  { line: 'K api-versions', out: /^apps\/v1$[^]*^batch\/v1$[^]*^v1$/m },
  { line: 'K get pods', out: podTable },
  {
    line: 'K get pods -o wide',
    out: /AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n.* 127\.\d+\.\d+\.\d+ +\S+ +<none> +<none>$/m,
  },
  { line: 'K get pods -o yaml', out: /^apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n/ },
  { line: 'K get pods -o name', out: /^pod\/web-\S+\npod\/web-\S+\n$/ },
  { line: 'K get pods -l app=web --field-selector status.phase=Running', out: podTable },
  { line: 'K get pods --chunk-size=1', out: podTable },
  { line: 'K get pods --sort-by=.metadata.name', out: podTable },
  { line: 'K get pods -A --no-headers', out: /^default +web-\S+ +1\/1 +Running/ },
  {
    line: 'K get pod,svc',
    out: /^pod\/web-[^]*^service\/kubernetes +ClusterIP +\S+ +<none> +443\/TCP/m,
  },
  {
    line: 'K get all',
    out: /^pod\/web-[^]*^service\/kubernetes[^]*^deployment.apps\/web +2\/2[^]*^replicaset.apps\/web-/m,
  },
  { line: 'K get pods --show-labels', out: /AGE +LABELS\n.* app=web,pod-template-hash=\S+$/m },
  { line: 'K get pods -o custom-columns=N:.metadata.name', out: /^N\nweb-\S+\n/ },
  { line: 'timeout 2 K get pods -w', code: 124, out: podTable },
  {
    line: 'timeout 2 K get pods --watch-only -o json',
    code: 124,
    out: /^$/,
  },
  { line: 'K get deploy web', out: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 / },
  {
    line: 'K get nopod xyz',
    code: 1,
    err: /^error: the server doesn't have a resource type "nopod"$/m,
    refused: 'there is no such kind',
  },
  {
    line: 'K get pod nonexist',
    code: 1,
    err: /^Error from server \(NotFound\): pods "nonexist" not found$/m,
    refused: 'there is no such pod',
  },
  { line: 'K get pod nonexist --ignore-not-found', out: /^$/ },
  { line: 'K get --raw /healthz', out: /^ok$/ },
  { line: 'K get --raw /readyz?verbose', out: /^\[\+\]ping ok[^]*readyz check passed/ },
  { line: 'K get --raw /metrics', out: /^# HELP apiserver_request_total /m },
  {
    line: "K get cm,secret -l a=b -o jsonpath='{.items[*].metadata.name}'",
    out: /^$/,
  },
  {
    line: 'K describe pod',
    out: /^Name: +web-\S+\n[^]*^Events:[^]*Started +.*Started container c$/m,
  },
  {
    line: 'K describe deploy web',
    out: /^Name: +web\n[^]*^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available[^]*^NewReplicaSet: +web-\S+ \(2\/2 replicas created\)/m,
  },
  {
    line: 'K describe svc kubernetes',
    out: /^Name: +kubernetes\n[^]*^Port: +https +443\/TCP/m,
  },
  {
    line: 'K describe node {node}',
    out: /^Name: +\S+\n[^]*^Conditions:[^]*KubeletReady[^]*^Non-terminated Pods: +\(\d+ in total\)/m,
  },
  { line: 'K describe ns default', out: /^Name: +default\n[^]*^Status: +Active/m },
  {
    line: 'K cluster-info',
    out: /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:/,
  },
  {
    line: 'K cluster-info dump --output-directory=dump',
    out: /^Cluster info dumped to dump$/m,
  },
  { line: 'K config view', out: /^apiVersion: v1\nclusters:\n/ },
  {
    line: 'K get componentstatuses',
    out: /^NAME +STATUS +MESSAGE +ERROR\n[^]*^etcd-0 +Healthy/m,
    err: /v1 ComponentStatus is deprecated in v1.19\+/,
  },
  {
    line: 'K get events',
    out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n[^]* Started +pod\/web-/m,
  },
  {
    line: 'K events',
    out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/,
    old: { code: 1, err: /unknown command "events"/, refused: 'kubectl 1.20 has no such command' },
  },
  { line: 'timeout 3 K get events -w', code: 124, out: / Started +pod\/web-/ },
  {
    line: 'timeout 3 K events -w',
    code: 124,
    out: /^LAST SEEN +TYPE/,
    old: { code: 1, err: /unknown command "events"/, refused: 'kubectl 1.20 has no such command' },
  },
  {
    line: 'K explain pod.spec.containers',
    out: /^KIND: +Pod\n[^]*^DESCRIPTION:\n[^]*^ +image\s+<string>/m,
  },
  { line: 'K explain deployment', out: /^KIND: +Deployment\n[^]*^ +spec\s+<(?:Deployment)?/m },
]
