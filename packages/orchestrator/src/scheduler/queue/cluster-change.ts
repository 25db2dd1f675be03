// Which changes of the cluster may help a pod that fitted nowhere, by what it failed at (upstream's queueing hints in one table).
import type { FailureKind } from '../filters/filter.ts'

export type ClusterChange =
  | 'nodeAdded'
  | 'nodeRemoved'
  | 'nodeAllocatable'
  | 'nodeLabels'
  | 'nodeTaints'
  | 'podAssigned'
  | 'podGone'
  | 'podRelabelled'
  | 'volumes'

const helpedBy: Readonly<Record<FailureKind, ReadonlySet<ClusterChange>>> = {
  nodeUnschedulable: new Set(['nodeAdded', 'nodeTaints']),
  taints: new Set(['nodeAdded', 'nodeTaints']),
  nodeAffinity: new Set(['nodeAdded', 'nodeLabels']),
  ports: new Set(['nodeAdded', 'podGone']),
  resources: new Set(['nodeAdded', 'nodeAllocatable', 'podGone']),
  volumes: new Set(['nodeAdded', 'nodeLabels', 'podGone', 'volumes']),
  spread: new Set([
    'nodeAdded',
    'nodeRemoved',
    'nodeLabels',
    'nodeTaints',
    'podAssigned',
    'podGone',
    'podRelabelled',
  ]),
  podAffinity: new Set(['nodeAdded', 'nodeLabels', 'podAssigned', 'podGone', 'podRelabelled']),
}

export const helps = (change: ClusterChange, kinds: ReadonlySet<FailureKind>): boolean => {
  for (const kind of kinds) if (helpedBy[kind].has(change)) return true
  return false
}
