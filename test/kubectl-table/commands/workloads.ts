// The other workloads, and describe for each kind that has its own.
import { prepare, type Command } from '../command.ts'

export const workloads: readonly Command[] = [
  { line: 'K apply -f m/sts.yaml', out: /^statefulset.apps\/ss created$/m },
  {
    line: 'K rollout status sts/ss --timeout=9s',
    out: /(?:partitioned roll out complete: 2 new pods have been updated|statefulset rolling update complete 2 pods)/,
  },
  prepare('K apply -f m/ds.yaml'),
  prepare('K rollout status ds/dd --timeout=20s'),
  { line: 'K rollout restart ds/dd', out: /^daemonset.apps\/dd restarted$/m },
  { line: 'K rollout history sts/ss', out: /^statefulset.apps\/ss *\nREVISION/m },
  {
    line: 'K rollout undo sts/ss',
    code: 1,
    err: /no last revision to roll back to/,
    refused: 'there is one revision',
  },
  { line: 'K rollout history ds/dd', out: /^daemonset.apps\/dd *\nREVISION/m },
  prepare('K apply -f m/dd1.yaml -f m/rest.yaml'),
  prepare('K rollout status deploy/dd1 --timeout=20s'),
  {
    line: 'K get hpa,pdb,cronjob,ingress,endpointslices',
    out: /^horizontalpodautoscaler.autoscaling\/dd1 [^]*^poddisruptionbudget.policy\/pp [^]*^cronjob.batch\/cc [^]*^ingress.networking.k8s.io\/ii [^]*^endpointslice.discovery.k8s.io\/dd1-/m,
  },
  { line: 'K describe rs', out: /^Name: +dd1-\S+\n[^]*^Controlled By: +Deployment\/dd1$/m },
  { line: 'K describe sts ss', out: /^Name: +ss\n[^]*SuccessfulCreate/m },
  { line: 'K describe ds dd', out: /^Name: +dd\n[^]*^Desired Number of Nodes Scheduled: +2$/m },
  { line: 'K describe job jj', out: /^Name: +jj\n[^]*^Completions: +1$/m },
  { line: 'K describe cronjob cc', out: /^Name: +cc\n[^]*^Schedule: +\*\/5 \* \* \* \*$/m },
  { line: 'K describe hpa dd1', out: /^Name: +dd1\n[^]*^Reference: +Deployment\/dd1$/m },
  { line: 'K describe pdb pp', out: /^Name: +pp\n[^]*^Min available: +1$/m },
  { line: 'K describe ingress ii', out: /^Name: +ii\n[^]*foo\.com[^]*dd1:80/m },
  { line: 'K describe quota qq', out: /^Name: +qq\n[^]*^pods +\d+ +100$/m },
  { line: 'K describe sa default', out: /^Name: +default\nNamespace: +default\n/m },
  { line: 'K describe svc dd1', out: /^Name: +dd1\n[^]*^Endpoints: +127\.\d+\.\d+\.\d+:8080$/m },
  { line: 'K describe ep dd1', out: /^Name: +dd1\n[^]*^ +Addresses: +127\./m },
  { line: 'K describe secret', out: /^Name: +s1\n/m },
  { line: 'K describe crd', err: /^No resources found/m },
  { line: 'K describe priorityclass', out: /^Name: +system-cluster-critical$/m },
  {
    line: 'K wait --for=condition=complete job/jj --timeout=1s',
    code: 1,
    err: /timed out waiting for the condition on jobs\/jj/,
    refused: 'the job takes longer',
  },
  { line: 'K logs job/jj', out: /^done$/m },
  {
    line: 'K port-forward svc/dd1 0:80 --address 127.0.0.1 & sleep 3; kill %1',
    out: /^Forwarding from 127\.0\.0\.1:\d+ -> 8080$/m,
  },
  { line: 'K scale --replicas=1 sts/ss --timeout=2s', out: /^statefulset.apps\/ss scaled$/m },
  {
    line: 'K delete deploy dd1 --cascade=foreground --timeout=6s',
    out: /^deployment.apps "dd1" deleted/m,
    old: {
      out: /^deployment.apps "dd1" deleted/m,
    },
  },
  { line: 'K delete sts ss --now', out: /^statefulset.apps "ss" deleted/m },
  { line: 'K delete -f m/sts.yaml --ignore-not-found', isPreparation: true },
]
