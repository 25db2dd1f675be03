// Nodes: what is scheduled there, what they use, and taking them out of service.
import { prepare, type Command } from '../command.ts'

export const nodes: readonly Command[] = [
  { line: 'K cordon {node2}', out: /^node\/\S+ cordoned$/m },
  { line: 'K uncordon {node2}', out: /^node\/\S+ uncordoned$/m },
  { line: 'K taint node {node2} k=v:NoSchedule', out: /^node\/\S+ tainted$/m },
  { line: 'K taint node {node2} k-', out: /^node\/\S+ untainted$/m },
  {
    line: 'K top nodes',
    out: /^NAME +CPU\(cores\) +CPU(?:%|\(%\)) +MEMORY\(bytes\) +MEMORY(?:%|\(%\)) *\n\S+ +\d+m +\d+% +\d+Mi +\d+%/,
  },
  prepare('K get deploy web || K apply -f m/web.yaml'),
  prepare('K rollout status deploy/web --timeout=20s'),
  // What just began has not been measured twice yet.
  prepare('K top pods'),
  { line: 'K top pods', out: /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\n\S+ +\d+m +\d+Mi/ },
  {
    line: 'K top pods --containers -A',
    out: /^NAMESPACE +POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\ndefault +\S+ +\S+ +\d+m +\d+Mi/,
  },
  // The budget of the writing area lets nobody go; after that area alone it is there.
  prepare('K delete pdb pdb1 --ignore-not-found'),
  {
    line: 'K drain {node2} --ignore-daemonsets --force --timeout=6s',
    out: /^node\/\S+ (?:already )?cordoned\n[^]*^node\/\S+ (?:drained|evicted)$/m,
  },
  { line: 'K uncordon {node2}', out: /^node\/\S+ uncordoned$/m },
  prepare('K apply -f m/budget.yaml'),
  prepare(
    `K run guarded --image=nginx --labels=app=guarded --overrides='{"spec":{"nodeName":"{node2}"}}'`,
  ),
  prepare('K wait --for=condition=Ready pod/guarded --timeout=20s'),
  prepare('K drain {node2} --ignore-daemonsets --force --timeout=2s', {
    code: 1,
    err: /error when evicting pods?\/?"?.*"?guarded"?.*Cannot evict pod as it would violate the pod's disruption budget\./,
  }),
  prepare('K delete pdb all-of-guarded'),
  prepare('K delete pod guarded --now'),
  prepare('K uncordon {node2}'),
]
