// Writing: create, apply, replace, diff.
import { type Command } from '../command.ts'

const created = (what: string): RegExp => new RegExp(`^${what} created$`, 'm')

export const writing: readonly Command[] = [
  { line: 'K create -f m/cm.yaml', out: created('configmap/cm1') },
  {
    line: 'K create -f m/bad.yaml',
    code: 1,
    err: /unknown field "datax"/,
    refused: 'the field is unknown',
  },
  { line: 'K create -f m/bad.yaml --validate=false', out: created('configmap/cmbad') },
  {
    line: 'K apply -f m/cm.yaml',
    out: /^configmap\/cm1 configured$/m,
    err: /is missing the kubectl\.kubernetes\.io\/last-applied-configuration annotation/,
  },
  { line: 'K apply -f m/cm2.yaml', out: /^configmap\/cm1 configured$/m },
  { line: 'K apply -f m/cm2.yaml', out: /^configmap\/cm1 unchanged$/m },
  { line: 'K apply --server-side -f m/cm2.yaml', out: /^configmap\/cm1 serverside-applied$/m },
  {
    line: 'K apply --server-side -f m/cm2.yaml --force-conflicts',
    out: /^configmap\/cm1 serverside-applied$/m,
  },
  { line: 'K apply -f m/dep.yaml', out: created('deployment.apps/d1') },
  { line: 'K apply -f m/dep2.yaml', out: /^deployment.apps\/d1 configured$/m },
  {
    line: 'K apply -f m/dep2.yaml --dry-run=server',
    out: /^deployment.apps\/d1 unchanged \(server dry run\)$/m,
  },
  {
    line: 'K apply -f m/dep2.yaml --dry-run=client',
    out: /^deployment.apps\/d1 (?:configured|unchanged) \(dry run\)$/m,
  },
  { line: 'K diff -f m/dep.yaml', code: 1, out: /^-  replicas: 2\n\+  replicas: 1$/m },
  { line: 'K replace -f m/cm.yaml', out: /^configmap\/cm1 replaced$/m },
  {
    line: 'K replace --force -f m/cm.yaml',
    out: /^configmap "cm1" deleted\nconfigmap\/cm1 replaced$/m,
  },
  {
    line: 'K replace --raw /api/v1/namespaces/default/configmaps/none -f m/cm.yaml',
    code: 1,
    err: /^Error from server \((?:BadRequest|NotFound)\)/m,
    refused: 'the body is YAML and says that it is JSON, and there is no such object',
  },
  {
    line: 'K apply -f m/cm2.yaml --prune -l app=zzz',
    code: 1,
    err: /no objects passed to apply/,
    refused: 'the selector leaves nothing to apply',
  },
  { line: 'K create configmap cm5 --from-literal=a=b', out: created('configmap/cm5') },
  { line: 'K create secret generic s1 --from-literal=a=b', out: created('secret/s1') },
  { line: 'K create ns ns1', out: created('namespace/ns1') },
  { line: 'K create sa sa1', out: created('serviceaccount/sa1') },
  {
    line: 'K create role r1 --verb=get --resource=pods',
    out: created('role.rbac.authorization.k8s.io/r1'),
  },
  {
    line: 'K create rolebinding rb1 --role=r1 --serviceaccount=default:sa1',
    out: created('rolebinding.rbac.authorization.k8s.io/rb1'),
  },
  {
    line: 'K create clusterrole cr1 --verb=get --resource=pods',
    out: created('clusterrole.rbac.authorization.k8s.io/cr1'),
  },
  { line: 'K create quota q1 --hard=pods=10 -n ns1', out: created('resourcequota/q1') },
  { line: 'K create job j1 --image=busybox -- echo hi', out: created('job.batch/j1') },
  {
    line: "K create cronjob cj1 --image=busybox --schedule='*/5 * * * *' -- echo hi",
    out: created('cronjob.batch/cj1'),
  },
  {
    line: 'K create deployment d2 --image=nginx --port=80',
    out: created('deployment.apps/d2'),
  },
  { line: 'K create service clusterip svc2 --tcp=80:80', out: created('service/svc2') },
  {
    line: 'K create ingress ing1 --rule=foo.com/*=svc2:80',
    out: created('ingress.networking.k8s.io/ing1'),
  },
  {
    line: 'K create token default',
    out: /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m,
    old: {
      code: 1,
      err: /must specify one of -f and -k/,
      refused: 'kubectl 1.20 has no such command',
    },
  },
  {
    line: 'K create poddisruptionbudget pdb1 --selector=app=d1 --min-available=1',
    out: created('poddisruptionbudget.policy/pdb1'),
  },
  {
    line: 'K create priorityclass pc1 --value=100',
    out: created('priorityclass.scheduling.k8s.io/pc1'),
  },
  { line: 'K run p1 --image=nginx', out: created('pod/p1') },
  {
    line: `K run p2 --image=nginx --restart=Never --overrides='{"metadata":{"annotations":{"stay":"1"}}}'`,
    out: created('pod/p2'),
  },
  { line: 'K expose deployment d1 --port=80', out: /^service\/d1 exposed$/m },
  {
    line: 'K autoscale deployment d1 --min=1 --max=3 --cpu-percent=50',
    out: /^horizontalpodautoscaler.autoscaling\/d1 autoscaled$/m,
  },
]
