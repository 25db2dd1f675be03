import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { rootCertificateName } from '../../controllers/service-account.ts'
import { configMapType, type ConfigMap } from '../../resources/config-map.ts'
import { namespaceType, type Namespace } from '../../resources/namespace.ts'
import type { KubeObject, OwnerReference, Stored } from '../../resources/object.ts'
import { serviceAccountType } from '../../resources/service-account.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import type { SimulatedCluster } from '../testing/simulated-cluster.ts'
import { garbageCollector } from './garbage-collector.ts'
import { namespaceController } from './namespace-controller.ts'
import {
  rootCertificatePublisher,
  serviceAccountController,
} from './service-account-controllers.ts'

const configMapOf = (
  namespace: string,
  name: string,
  ownerReferences: readonly OwnerReference[] = [],
): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, ...(ownerReferences.length === 0 ? {} : { ownerReferences }) },
})
const maps = (cluster: SimulatedCluster): Stored<ConfigMap>[] => cluster.api.all(configMapType)
const among = <T>(all: readonly T[], choice: number): T | undefined => all[choice % all.length]
const isThere = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp === undefined

test('a namespace has what every one has, and leaves nothing behind when it goes, whatever happens', () => {
  let names = 0
  const namespaceOf = (name: string): Namespace => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    spec: {},
    status: {},
  })
  const some = (cluster: SimulatedCluster, choice: number): Stored<Namespace> | undefined =>
    among(cluster.api.all<Namespace>(namespaceType).filter(isThere), choice)
  checkControllers({
    controllers: [namespaceController, serviceAccountController, rootCertificatePublisher],
    ownerless: ['ServiceAccount', 'ConfigMap'],
    setup: (cluster) => void cluster.put(namespaceType, namespaceOf('first')),
    deeds: [
      (cluster) => void cluster.put(namespaceType, namespaceOf(`ns-${++names}`)),
      (cluster, choice) => {
        const { metadata } = some(cluster, choice) ?? {}
        if (metadata !== undefined) cluster.api.delete(namespaceType, metadata.name, metadata.uid)
      },
      (cluster, choice) => {
        const namespace = some(cluster, choice)
        if (namespace !== undefined)
          cluster.put(configMapType, configMapOf(namespace.metadata.name, `m-${++names}`))
      },
      // What every namespace has is taken away or changed by somebody.
      (cluster, choice) => {
        const account = among(cluster.api.all(serviceAccountType), choice)
        if (account !== undefined)
          cluster.api.delete(serviceAccountType, objectKey(account), account.metadata.uid)
      },
      (cluster, choice) => {
        const map = among(maps(cluster), choice)
        if (map !== undefined)
          cluster.api.patch(configMapType, objectKey(map), { data: { 'ca.crt': `${choice}` } })
      },
    ],
    goal: (cluster) => {
      const namespaces = cluster.api.all<Namespace>(namespaceType)
      expect(namespaces.filter((each) => !isThere(each))).toEqual([])
      const known = namespaces.map(({ metadata }) => metadata.name).toSorted()
      const accounts = cluster.api.all(serviceAccountType)
      expect(accounts.map(objectKey).toSorted()).toEqual(known.map((name) => `${name}/default`))
      const published = maps(cluster).filter(
        ({ metadata }) => metadata.name === rootCertificateName,
      )
      expect(published.map(({ metadata }) => metadata.namespace ?? '').toSorted()).toEqual(known)
      for (const { data } of published) expect(data).toEqual({ 'ca.crt': 'PEM' })
      for (const { metadata } of maps(cluster)) {
        expect(known).toContain(metadata.namespace)
        expect([rootCertificateName, metadata.name.match(/^m-\d+$/)?.[0]]).toContain(metadata.name)
      }
    },
    runs: 60,
  })
})

test('what lost its owners goes, what has one stays, and owners wait or let go as asked, whatever happens', () => {
  let names = 0
  const referenceTo = ({ metadata }: Stored<ConfigMap>, isBlocking: boolean): OwnerReference => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: metadata.name,
    uid: metadata.uid,
    ...(isBlocking ? { blockOwnerDeletion: true } : {}),
  })
  const root = (cluster: SimulatedCluster): Stored<ConfigMap> | undefined =>
    cluster.api.get<ConfigMap>(configMapType, 'default/root')
  const own = (cluster: SimulatedCluster, owners: readonly OwnerReference[], name: string): void =>
    void cluster.put(configMapType, configMapOf('default', name, owners))
  const policies = ['Background', 'Foreground', 'Orphan'] as const
  checkControllers({
    controllers: [garbageCollector],
    setup: (cluster) => void cluster.put(configMapType, configMapOf('default', 'root')),
    deeds: [
      (cluster, choice) => {
        const owners = [among(maps(cluster), choice), among(maps(cluster), choice >> 2)]
        const references = owners
          .filter((owner) => owner !== undefined)
          .map((owner) => referenceTo(owner, choice % 2 === 0))
        own(
          cluster,
          [...new Map(references.map((each) => [each.uid, each])).values()],
          `m-${++names}`,
        )
      },
      // Held by the root, whatever becomes of the other owner.
      (cluster, choice) => {
        const first = root(cluster)
        const second = among(maps(cluster), choice)
        if (first === undefined || second === undefined || second === first) return
        own(cluster, [referenceTo(first, false), referenceTo(second, false)], `safe-${++names}`)
      },
      (cluster) => own(cluster, [], `free-${++names}`),
      (cluster, choice) => {
        const uid = `never-there-${choice}`
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: `gone-${choice}`, uid }
        own(cluster, [reference], `lost-${++names}`)
      },
      (cluster, choice) => {
        const all = maps(cluster).filter(({ metadata }) => /^(?:m|free)-/.test(metadata.name))
        const map = among(all, choice)
        const policy = policies[choice % policies.length] ?? 'Background'
        if (map !== undefined)
          cluster.api.delete(configMapType, objectKey(map), map.metadata.uid, { policy })
      },
    ],
    always: (cluster) => {
      const made = cluster.api.log(configMapType).filter(({ key }) => key.includes('/safe-'))
      for (const { key } of made) {
        const map = cluster.api.get(configMapType, key)
        expect(map !== undefined && isThere(map)).toBe(true)
      }
    },
    goal: (cluster) => {
      const uids = new Set(maps(cluster).map(({ metadata }) => metadata.uid))
      for (const map of maps(cluster)) {
        const { ownerReferences = [], finalizers = [] } = map.metadata
        expect(isThere(map)).toBe(true)
        expect(finalizers).toEqual([])
        const isOrphan =
          ownerReferences.length > 0 && !ownerReferences.some(({ uid }) => uids.has(uid))
        expect(isOrphan).toBe(false)
      }
    },
    runs: 40,
  })
})
