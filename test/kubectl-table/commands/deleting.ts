// Deleting, in every way.
import { prepare, type Command } from '../command.ts'

const deleted = (what: string): RegExp => new RegExp(`^${what} deleted`, 'm')

export const deleting: readonly Command[] = [
  prepare('K get pod p1 || K run p1 --image=nginx'),
  prepare('K get pod p2 || K run p2 --image=nginx'),
  { line: 'K delete pod p1', out: deleted('pod "p1"') },
  { line: 'K delete pod p2 --wait=false', out: deleted('pod "p2"') },
  { line: 'K delete pod zz --ignore-not-found', out: /^$/ },
  {
    line: 'K delete pods -l app=d1 --grace-period=0 --force',
    out: /^pod "d1-\S+" force deleted/m,
    err: /Immediate deletion does not wait for confirmation/,
  },
  { line: 'K delete deployment d2 --cascade=orphan', out: deleted('deployment.apps "d2"') },
  { line: 'K delete deployment d1', out: deleted('deployment.apps "d1"') },
  { line: 'K delete cm --all', out: deleted('configmap "cm1"') },
  { line: 'K delete job,cronjob,ingress,hpa,pdb,svc --all', out: deleted('job.batch "j1"') },
  { line: 'K delete ns ns1', out: deleted('namespace "ns1"') },
  { line: 'K delete -f m/dep2.yaml --ignore-not-found', out: /^$/ },
  { line: 'K delete secret s1', out: deleted('secret "s1"') },
  { line: 'K delete sa sa1', out: deleted('serviceaccount "sa1"') },
  {
    line: 'K delete rolebinding rb1',
    out: deleted('rolebinding.rbac.authorization.k8s.io "rb1"'),
  },
  { line: 'K delete role r1', out: deleted('role.rbac.authorization.k8s.io "r1"') },
  {
    line: 'K delete clusterrole cr1',
    out: deleted('clusterrole.rbac.authorization.k8s.io "cr1"'),
  },
  { line: 'K delete priorityclass pc1', out: deleted('priorityclass.scheduling.k8s.io "pc1"') },
  prepare('K apply -f m/sts.yaml'),
  { line: 'K delete -f m/sts.yaml', out: deleted('statefulset.apps "ss"') },
]
