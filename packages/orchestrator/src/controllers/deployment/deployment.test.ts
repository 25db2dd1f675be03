import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Deployment } from '../../resources/deployment.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'
import { deploymentOf } from '../testing/objects.ts'
import { SimulatedCluster } from '../testing/simulated-cluster.ts'

/** Numbers in [0, 1) that follow from the seed. */
const randomOf = (seed: number): (() => number) => {
  let state = seed | 1
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39)
    state ^= state >>> 15
    return (state >>> 0) / 2 ** 32
  }
}
const image = (set: Stored<ReplicaSet>): string => set.spec.template.spec.containers[0]?.image ?? ''
const sizes = (cluster: SimulatedCluster): Record<string, number> =>
  Object.fromEntries(
    cluster.all<ReplicaSet>('replicasets').map((set) => [image(set), set.spec.replicas ?? 1]),
  )
const deployment = (cluster: SimulatedCluster): Stored<Deployment> => {
  const found = cluster.get<Deployment>('deployments', 'd')
  if (found === undefined) throw new Error('no deployment')
  return found
}
const change = (cluster: SimulatedCluster, spec: Partial<Deployment['spec']>): void =>
  cluster.put('deployments', {
    ...deployment(cluster),
    spec: { ...deployment(cluster).spec, ...spec },
  } as Deployment)
const setImage = (cluster: SimulatedCluster, to: string): void =>
  change(cluster, { template: deploymentOf('d', 1, to).spec.template })
const started = (replicas: number, more: Partial<Deployment['spec']> = {}): SimulatedCluster => {
  const cluster = new SimulatedCluster()
  cluster.put('deployments', {
    ...deploymentOf('d', replicas),
    spec: { ...deploymentOf('d', replicas).spec, ...more },
  } as Deployment)
  return cluster
}
/** Reconciles everything until nothing is left to do, the world turning meanwhile. Throws when that takes too long. */
const settle = (
  cluster: SimulatedCluster,
  random: () => number,
  each: () => void = () => undefined,
): void => {
  for (let round = 0; round < 2000; round++) {
    let isQuiet = true
    for (const reconcile of cluster.reconcilers()) {
      const { actions } = reconcile()
      if (actions.length > 0) isQuiet = false
      cluster.apply(actions, Number.POSITIVE_INFINITY)
      each()
    }
    const isWorldQuiet = cluster
      .all<Pod>('pods')
      .every(
        (pod) => pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined,
      )
    if (isQuiet && isWorldQuiet) return
    cluster.turn(random, false)
  }
  throw new Error('the cluster does not come to rest')
}
const progressing = (cluster: SimulatedCluster): string | undefined =>
  deployment(cluster).status.conditions?.find(({ type }) => type === 'Progressing')?.reason

test('a new deployment makes one ReplicaSet of revision 1 with a hash in name, selector and template', () => {
  const cluster = started(3)
  settle(cluster, randomOf(1))
  const [set] = cluster.all<ReplicaSet>('replicasets')
  const hash = set?.metadata.labels?.['pod-template-hash'] ?? ''
  expect(set?.metadata.name).toBe(`d-${hash}`)
  expect(set?.spec.selector.matchLabels).toEqual({ app: 'a', 'pod-template-hash': hash })
  expect(set?.spec.template.metadata?.labels).toEqual({ app: 'a', 'pod-template-hash': hash })
  expect(set?.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '3',
    'deployment.kubernetes.io/max-replicas': '4',
  })
  expect(deployment(cluster).metadata.annotations).toEqual({
    'deployment.kubernetes.io/revision': '1',
  })
  expect(deployment(cluster).status).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  })
  expect(progressing(cluster)).toBe('NewReplicaSetAvailable')
  expect(cluster.activePods()).toHaveLength(3)
})

test('a rolling update never has more pods than surge allows nor fewer available than promised', () => {
  const cluster = started(8, {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } },
  })
  settle(cluster, randomOf(2))
  setImage(cluster, 'i:2')
  settle(cluster, randomOf(3), () => {
    expect(cluster.activePods().length).toBeLessThanOrEqual(10)
    expect(
      cluster.activePods().filter((pod) => pod.status.phase === 'Running').length,
    ).toBeGreaterThanOrEqual(7)
  })
  expect(sizes(cluster)).toEqual({ 'i:1': 0, 'i:2': 8 })
  expect(deployment(cluster).metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')
})

test('Recreate starts no new pod before the last old one is gone', () => {
  const cluster = started(3, { strategy: { type: 'Recreate' } })
  settle(cluster, randomOf(4))
  setImage(cluster, 'i:2')
  settle(cluster, randomOf(5), () => {
    const images = new Set(cluster.all<Pod>('pods').map((pod) => pod.spec.containers[0]?.image))
    expect(images.size).toBeLessThanOrEqual(1)
  })
  expect(sizes(cluster)).toEqual({ 'i:1': 0, 'i:2': 3 })
})

test('going back to an earlier template reuses its ReplicaSet under a new revision', () => {
  const cluster = started(2)
  settle(cluster, randomOf(6))
  setImage(cluster, 'i:2')
  settle(cluster, randomOf(7))
  setImage(cluster, 'i:1')
  settle(cluster, randomOf(8))
  expect(sizes(cluster)).toEqual({ 'i:1': 2, 'i:2': 0 })
  const back = cluster.all<ReplicaSet>('replicasets').find((set) => image(set) === 'i:1')
  expect(back?.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
    'deployment.kubernetes.io/revision-history': '1',
  })
})

test('old ReplicaSets beyond the history limit are removed, oldest first', () => {
  const cluster = started(1, { revisionHistoryLimit: 1 })
  for (const to of ['i:1', 'i:2', 'i:3', 'i:4']) {
    setImage(cluster, to)
    settle(cluster, randomOf(9))
  }
  expect(Object.keys(sizes(cluster)).sort()).toEqual(['i:3', 'i:4'])
})

test('a paused deployment starts no roll-out but is scaled', () => {
  const cluster = started(2)
  settle(cluster, randomOf(10))
  change(cluster, { paused: true })
  setImage(cluster, 'i:2')
  change(cluster, { replicas: 4 })
  settle(cluster, randomOf(11))
  expect(sizes(cluster)).toEqual({ 'i:1': 4 })
  expect(progressing(cluster)).toBe('DeploymentPaused')
  change(cluster, { paused: false })
  settle(cluster, randomOf(12))
  expect(sizes(cluster)).toEqual({ 'i:1': 0, 'i:2': 4 })
})

test('scaling in the middle of a roll-out spreads the change in proportion', () => {
  const cluster = started(10, {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
  })
  settle(cluster, randomOf(13))
  setImage(cluster, 'i:2')
  for (let round = 0; round < 6; round++)
    for (const reconcile of cluster.reconcilers())
      cluster.apply(reconcile().actions, Number.POSITIVE_INFINITY)
  expect(sizes(cluster)).toEqual({ 'i:1': 8, 'i:2': 5 })
  change(cluster, { replicas: 15 })
  const [reconcile] = cluster.reconcilers()
  cluster.apply(reconcile?.().actions ?? [], Number.POSITIVE_INFINITY)
  expect(sizes(cluster)).toEqual({ 'i:1': 11, 'i:2': 7 })
})

test('an undo of a roll-out that took too long begins with a deadline of its own', () => {
  const cluster = started(2)
  settle(cluster, randomOf(3))
  setImage(cluster, 'i:2')
  settle(cluster, randomOf(3))
  setImage(cluster, 'broken')
  const seen: (string | undefined)[] = []
  let undone = Number.POSITIVE_INFINITY
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++)
      for (const reconcile of cluster.reconcilers()) {
        cluster.apply(reconcile().actions, Number.POSITIVE_INFINITY)
        const { observedGeneration = 0 } = deployment(cluster).status
        if (observedGeneration >= undone) seen.push(progressing(cluster))
      }
  }
  rounds(5)
  cluster.nowMs += 601_000
  rounds(1)
  expect(progressing(cluster)).toBe('ProgressDeadlineExceeded')
  change(cluster, { template: deploymentOf('d', 2).spec.template })
  undone = deployment(cluster).metadata.generation ?? 0
  rounds(3)
  expect(seen).toContain('ReplicaSetUpdated')
  expect(seen).not.toContain('ProgressDeadlineExceeded')
})

test('a roll-out that stands still past its deadline says so, and recovers', () => {
  const cluster = started(1)
  for (let round = 0; round < 5; round++)
    for (const reconcile of cluster.reconcilers())
      cluster.apply(reconcile().actions, Number.POSITIVE_INFINITY)
  cluster.nowMs += 601_000
  for (const reconcile of cluster.reconcilers())
    cluster.apply(reconcile().actions, Number.POSITIVE_INFINITY)
  expect(progressing(cluster)).toBe('ProgressDeadlineExceeded')
  settle(cluster, randomOf(14))
  expect(progressing(cluster)).toBe('NewReplicaSetAvailable')
})

test('a ReplicaSet of another owner under the next name leads to another hash', () => {
  const cluster = started(1)
  settle(cluster, randomOf(15))
  const [set] = cluster.all<ReplicaSet>('replicasets')
  if (set === undefined) throw new Error('no ReplicaSet')
  const other = started(1)
  other.put('replicasets', {
    ...set,
    metadata: {
      ...set.metadata,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x', uid: 'x', controller: true },
      ],
    },
  })
  settle(other, randomOf(16))
  expect(deployment(other).status.collisionCount).toBe(1)
  const owners = other
    .all<ReplicaSet>('replicasets')
    .map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)
  expect(new Set(owners)).toEqual(new Set([deployment(other).metadata.uid, 'x']))
})

test('from any state, with crashes between any two actions, the declared state is reached and kept', () => {
  const seed = 20_260_101
  const step = fc.oneof(
    fc.record({ type: fc.constant('reconcile' as const), budget: fc.nat(4), pick: fc.nat(20) }),
    fc.record({ type: fc.constant('turn' as const) }),
    fc.record({ type: fc.constant('scale' as const), replicas: fc.nat(8) }),
    fc.record({ type: fc.constant('image' as const), image: fc.constantFrom('i:1', 'i:2', 'i:3') }),
    fc.record({ type: fc.constant('pause' as const), paused: fc.boolean() }),
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.boolean(),
      fc.nat(),
      (steps, isRecreate, worldSeed) => {
        const random = randomOf(worldSeed)
        const cluster = started(3, isRecreate ? { strategy: { type: 'Recreate' } } : {})
        for (const each of steps) {
          if (each.type === 'reconcile') {
            const reconcilers = cluster.reconcilers()
            const { actions } = reconcilers[each.pick % reconcilers.length]?.() ?? { actions: [] }
            cluster.apply(actions, each.budget)
          } else if (each.type === 'turn') cluster.turn(random, true)
          else if (each.type === 'scale') change(cluster, { replicas: each.replicas })
          else if (each.type === 'image') setImage(cluster, each.image)
          else change(cluster, { paused: each.paused })
        }
        change(cluster, { paused: false })
        settle(cluster, random)
        const { spec, status } = deployment(cluster)
        const wanted = spec.template.spec.containers[0]?.image ?? ''
        const running = cluster.activePods()
        expect(running).toHaveLength(spec.replicas ?? 1)
        expect(running.every((pod) => pod.spec.containers[0]?.image === wanted)).toBe(true)
        expect(
          cluster.all<ReplicaSet>('replicasets').filter((set) => image(set) === wanted),
        ).toHaveLength(1)
        expect(status.availableReplicas ?? 0).toBe(spec.replicas)
      },
    ),
    { seed, numRuns: 300 },
  )
})
