// Node lifecycle: nodes, the pods on them, and the leases that their agents renew.
import { reconcileMissingNode, reconcileNode } from '../../controllers/node-lifecycle.ts'
import { leaseType } from '../../resources/lease.ts'
import { nodeType } from '../../resources/node.ts'
import { podType } from '../../resources/pod.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'
import { NodeSigns } from '../node-signs.ts'

export const nodeController: Controller = {
  name: 'node-controller',
  connect: ({ informers, now }) => {
    const all = informers.of(nodeType)
    const pods = informers.of(podType)
    const leases = informers.of(leaseType)
    pods.addIndex('node', (pod) => [pod.spec.nodeName ?? ''])
    const signs = new NodeSigns(leases, now)
    const missingSinceMs = new Map<string, number>()
    return {
      watches: [
        watchOf(all, ownKey),
        watchOf(pods, (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName])),
        watchOf(leases, (lease) => (NodeSigns.isOfNode(lease) ? [lease.metadata.name] : [])),
      ],
      reconcile: (key, nowMs) => {
        const node = all.get(key)
        if (node === undefined) {
          const sinceMs = missingSinceMs.get(key) ?? nowMs
          const stranded = pods.find('node', key)
          if (stranded.length === 0) missingSinceMs.delete(key)
          else missingSinceMs.set(key, sinceMs)
          return reconcileMissingNode(stranded, sinceMs, nowMs)
        }
        missingSinceMs.delete(key)
        const seenAtMs = signs.seenAtMs(key, nowMs)
        const leaseMs = signs.leaseMs(key)
        return reconcileNode({ node, pods: pods.find('node', key), seenAtMs, leaseMs, nowMs })
      },
    }
  },
}
