import { expect, test } from 'vitest'
import type { PolicyRule } from '../../resources/rbac/policy-rule.ts'
import { clusterRoleType, type ClusterRole } from '../../resources/rbac/role.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import type { SimulatedCluster } from '../testing/simulated-cluster.ts'
import { clusterRoleAggregation } from './cluster-role-aggregation.ts'
import { podGarbageCollectorOf } from './pod-garbage-collector.ts'

const ruleOf = (resource: string): PolicyRule => ({
  apiGroups: [''],
  resources: [resource],
  verbs: ['get'],
})
const roleOf = (name: string, more: Partial<ClusterRole>): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules: [],
  ...more,
})
const aggregating = (name: string, label: string): ClusterRole =>
  roleOf(name, {
    metadata: { name, labels: { to: `all-${name}` } },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: label } }] },
  })
const partOf = (name: string, to: string): ClusterRole =>
  roleOf(name, { metadata: { name, labels: { to } }, rules: [ruleOf(name)] })

test('aggregated roles end with the rules of the roles they select, through each other too', () => {
  let names = 0
  const putPart = (cluster: SimulatedCluster): void =>
    void cluster.put(clusterRoleType, partOf(`part-${++names}`, 'a'))
  checkControllers({
    controllers: [clusterRoleAggregation],
    setup: (cluster) => {
      cluster.put(clusterRoleType, aggregating('a', 'a'))
      cluster.put(clusterRoleType, aggregating('b', 'all-a'))
      putPart(cluster)
    },
    deeds: [
      putPart,
      (cluster, choice) => {
        const parts = cluster.api
          .all<ClusterRole>(clusterRoleType)
          .filter(({ aggregationRule }) => aggregationRule === undefined)
        const { metadata } = parts[choice % parts.length] ?? {}
        if (metadata !== undefined) cluster.api.delete(clusterRoleType, metadata.name, metadata.uid)
      },
    ],
    goal: (cluster) => {
      const roles = cluster.api.all<ClusterRole>(clusterRoleType)
      const parts = roles
        .filter(({ aggregationRule }) => aggregationRule === undefined)
        .map(({ metadata }) => metadata.name)
        .toSorted()
      for (const { aggregationRule, rules = [] } of roles)
        if (aggregationRule !== undefined)
          expect(rules.map(({ resources }) => resources?.[0])).toEqual(parts)
    },
  })
})

test('of the pods that ended the newest stay', () => {
  let names = 0
  const endedMax = 2
  const pod = (): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p-${String(++names).padStart(9, '0')}`, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
    status: { phase: 'Pending' },
  })
  const put = (cluster: SimulatedCluster): void => void cluster.put(podType, pod())
  const ended = (cluster: SimulatedCluster): string[] =>
    cluster.api
      .all<Pod>(podType)
      .filter(({ status }) => status.phase === 'Succeeded')
      .map(({ metadata }) => metadata.name)
  checkControllers({
    controllers: [podGarbageCollectorOf(endedMax)],
    setup: put,
    deeds: [put],
    podEnd: () => ({ phase: 'Succeeded' }),
    goal: (cluster) => {
      expect(cluster.api.all(podType).length).toBeLessThanOrEqual(endedMax)
      expect(ended(cluster).length).toBeLessThanOrEqual(endedMax)
    },
  })
})
