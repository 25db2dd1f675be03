import { expect, test } from 'vitest'
import { nodeGraceMs } from '../../controllers/node-lifecycle.ts'
import { nodeOf, podOf } from '../../controllers/testing/objects.ts'
import { configMapType } from '../../resources/config-map.ts'
import { leaseType, type Lease } from '../../resources/lease.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { resourceQuotaType, type ResourceQuota } from '../../resources/quota/resource-quota.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import type { SimulatedCluster } from '../testing/simulated-cluster.ts'
import { nodeController } from './node-controller.ts'
import { resourceQuotaController } from './resource-quota-controller.ts'

const leases = 'kube-node-lease'
const leaseOf = (name: string, nowMs: number): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: leases },
  spec: {
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: `${timestamp(nowMs).slice(0, -1)}.000000Z`,
  },
})

test('nodes that fell silent are tainted once and rid of their pods, whatever happens', () => {
  let names = 0
  const renew = (cluster: SimulatedCluster, name: string): void => {
    const { spec } = leaseOf(name, cluster.api.nowMs)
    cluster.api.patch(leaseType, `${leases}/${name}`, { spec: { renewTime: spec.renewTime ?? '' } })
    const node = cluster.api.get<Node>(nodeType, name)
    if (node === undefined) return
    // What an agent says of itself with every sign of life.
    const conditions = (node.status.conditions ?? []).map((each) =>
      each.type === 'Ready' ? { ...each, status: 'True' as const } : each,
    )
    cluster.api.update(
      nodeType,
      { ...node, status: { ...node.status, conditions } } as Node,
      'status',
    )
  }
  checkControllers({
    controllers: [nodeController],
    setup: (cluster) => {
      for (const name of ['n1', 'n2']) {
        cluster.put(nodeType, nodeOf(name))
        cluster.put(leaseType, leaseOf(name, cluster.api.nowMs))
      }
    },
    deeds: [
      (cluster, choice) => renew(cluster, `n${1 + (choice % 2)}`),
      (cluster, choice) =>
        void cluster.put<Pod>(
          podType,
          podOf(`p-${++names}`, { spec: { nodeName: `n${1 + (choice % 2)}` } }),
        ),
      (cluster, choice) => {
        cluster.api.patch(nodeType, `n${1 + (choice % 2)}`, {
          spec: { unschedulable: choice % 3 === 0 ? true : null },
        })
      },
      (cluster) => {
        cluster.api.nowMs += nodeGraceMs / 2
      },
    ],
    always: (cluster) => {
      for (const { spec } of cluster.api.all<Node>(nodeType)) {
        const taints = (spec.taints ?? []).map(({ key, effect }) => `${key} ${effect}`)
        expect(taints).toEqual([...new Set(taints)])
      }
    },
    goal: (cluster) => {
      // Nobody renews any more, so in the end both are silent.
      for (const { spec, status } of cluster.api.all<Node>(nodeType)) {
        expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('Unknown')
        const wanted = [
          'node.kubernetes.io/unreachable NoExecute',
          'node.kubernetes.io/unreachable NoSchedule',
          ...(spec.unschedulable === true ? ['node.kubernetes.io/unschedulable NoSchedule'] : []),
        ]
        expect((spec.taints ?? []).map(({ key, effect }) => `${key} ${effect}`).toSorted()).toEqual(
          wanted,
        )
      }
      expect(cluster.api.all(podType)).toEqual([])
    },
    runs: 60,
  })
})

test('a quota comes to count what there is, whatever happens', () => {
  let names = 0
  checkControllers({
    controllers: [resourceQuotaController],
    setup: (cluster) =>
      void cluster.put<ResourceQuota>(resourceQuotaType, {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'q', namespace: 'default' },
        spec: { hard: { pods: '100', 'count/configmaps': '100' } },
        status: {},
      }),
    deeds: [
      (cluster) =>
        void cluster.put<Pod>(podType, { ...podOf(`p-${++names}`), status: { phase: 'Pending' } }),
      (cluster) =>
        void cluster.put(configMapType, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `m-${++names}`, namespace: 'default' },
        }),
      (cluster, choice) => {
        const all = cluster.api.all(configMapType)
        const { metadata } = all[choice % all.length] ?? {}
        if (metadata !== undefined)
          cluster.api.delete(configMapType, `default/${metadata.name}`, metadata.uid)
      },
      (cluster, choice) =>
        cluster.api.patch(resourceQuotaType, 'default/q', {
          spec: { hard: { pods: String(100 + choice) } },
        }),
    ],
    goal: (cluster) => {
      const quota = cluster.api.get<ResourceQuota>(resourceQuotaType, 'default/q')
      const running = cluster.api
        .all<Pod>(podType)
        .filter(({ status }) => status.phase !== 'Failed' && status.phase !== 'Succeeded')
      expect(quota?.status?.hard).toEqual(quota?.spec.hard)
      expect(quota?.status?.used).toEqual({
        pods: String(running.length),
        'count/configmaps': String(cluster.api.all(configMapType).length),
      })
    },
    runs: 40,
  })
})
