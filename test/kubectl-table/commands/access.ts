// Who may do what, and certificates for users.
import { type Command } from '../command.ts'

export const access: readonly Command[] = [
  { line: 'K auth can-i get pods', out: /^yes$/m },
  {
    line: 'K auth can-i --list',
    out: /^Resources +Non-Resource URLs +Resource Names +Verbs\n[^]*^\*\.\* +\[\] +\[\] +\[\*\]$/m,
  },
  {
    line: 'K auth whoami',
    out: /^Username +\S+\nGroups +\[.*system:masters/m,
    old: {
      code: 1,
      err: /unknown command "whoami"|must specify/,
      refused: 'kubectl 1.20 has no such command',
    },
  },
  { line: 'K auth reconcile -f m/cm.yaml', out: /^$/ },
  {
    line: 'K auth reconcile -f m/rbac.yaml',
    out: /^clusterrole.rbac.authorization.k8s.io\/recon reconciled$/m,
  },
  {
    line: 'K certificate approve foo',
    code: 1,
    err: /certificatesigningrequests.certificates.k8s.io "foo" not found/,
    refused: 'there is no such request',
  },
  {
    line: 'K create -f m/csr.yaml',
    out: /^certificatesigningrequest.certificates.k8s.io\/bob created$/m,
  },
  {
    line: 'K certificate approve bob',
    out: /^certificatesigningrequest.certificates.k8s.io\/bob approved$/m,
  },
  {
    line: 'K create clusterrolebinding crbx --clusterrole=view --user=bob',
    out: /^clusterrolebinding.rbac.authorization.k8s.io\/crbx created$/m,
  },
  {
    line: 'K set subject clusterrolebinding crbx --user=alice',
    out: /^clusterrolebinding.rbac.authorization.k8s.io\/crbx subjects updated$/m,
  },
  { line: 'K get pods --as=alice', out: /^NAME +READY/ },
  {
    line: 'K auth can-i create deployments --as=alice',
    code: 1,
    out: /^no/m,
    refused: 'alice may only view',
  },
  {
    line: 'K delete crb crbx recon',
    code: 1,
    err: /the server doesn't have a resource type "crb"/,
    refused: 'there is no such short name',
  },
  {
    line: 'K delete clusterrole recon',
    out: /^clusterrole.rbac.authorization.k8s.io "recon" deleted$/m,
  },
  {
    line: 'K delete csr bob',
    out: /^certificatesigningrequest.certificates.k8s.io "bob" deleted$/m,
  },
]
