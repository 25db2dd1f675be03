// How strategic merge patches merge the lists of a pod's spec: upstream's patchMergeKey tags, as paths.
import type { MergeKeys } from '../object.ts'

const containerKeys: MergeKeys = {
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
}

const containerLists: readonly string[] = ['containers', 'initContainers', 'ephemeralContainers']

const specKeys: MergeKeys = {
  volumes: 'name',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  schedulingGates: 'name',
  resourceClaims: 'name',
  ...Object.fromEntries(
    containerLists.flatMap((list) => [
      [list, 'name'],
      ...Object.entries(containerKeys).map(([field, key]) => [`${list}.${field}`, key]),
    ]),
  ),
}

/** The merge keys of a pod's spec that lies at `path`, e.g. `spec.template.spec`. */
export const podSpecMergeKeys = (path: string): MergeKeys =>
  Object.fromEntries(Object.entries(specKeys).map(([field, key]) => [`${path}.${field}`, key]))

/** The merge keys of metadata; every kind has them. */
export const metadataMergeKeys = (path: string): MergeKeys => ({
  [`${path}.ownerReferences`]: 'uid',
  [`${path}.finalizers`]: '',
})
