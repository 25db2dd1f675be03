// Which objects a pod names, and so may be read by the node that it runs on.
import type { KubeObject } from '../../../resources/object.ts'

export type ReferencedKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts'

interface Named {
  readonly name?: string
}
interface ContainerReferences {
  readonly env?: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: Named; readonly configMapKeyRef?: Named }
  }[]
  readonly envFrom?: readonly { readonly secretRef?: Named; readonly configMapRef?: Named }[]
}
interface VolumeReferences {
  readonly name?: string
  readonly secret?: { readonly secretName?: string }
  readonly configMap?: Named
  readonly persistentVolumeClaim?: { readonly claimName?: string }
  readonly ephemeral?: object
  readonly projected?: {
    readonly sources?: readonly { readonly secret?: Named; readonly configMap?: Named }[]
  }
}
interface PodReferences extends KubeObject {
  readonly spec?: {
    readonly serviceAccountName?: string
    readonly imagePullSecrets?: readonly Named[]
    readonly containers?: readonly ContainerReferences[]
    readonly initContainers?: readonly ContainerReferences[]
    readonly ephemeralContainers?: readonly ContainerReferences[]
    readonly volumes?: readonly VolumeReferences[]
  }
}

export const podRefersTo = (pod: KubeObject, kind: ReferencedKind, name: string): boolean => {
  const { spec, metadata } = pod as PodReferences
  if (spec === undefined) return false
  if (kind === 'serviceaccounts') return spec.serviceAccountName === name
  if (kind === 'secrets' && (spec.imagePullSecrets ?? []).some((one) => one.name === name)) {
    return true
  }
  const ofVolume = (volume: VolumeReferences): boolean =>
    volumeNames(volume, kind, metadata.name ?? '').includes(name)
  if ((spec.volumes ?? []).some(ofVolume)) return true
  if (kind === 'persistentvolumeclaims') return false
  return [spec.containers, spec.initContainers, spec.ephemeralContainers].some((containers) =>
    (containers ?? []).some((container) => containerNames(container, kind).includes(name)),
  )
}

const volumeNames = (
  volume: VolumeReferences,
  kind: ReferencedKind,
  pod: string,
): (string | undefined)[] => {
  const projected = volume.projected?.sources ?? []
  switch (kind) {
    case 'secrets':
      return [volume.secret?.secretName, ...projected.map((source) => source.secret?.name)]
    case 'configmaps':
      return [volume.configMap?.name, ...projected.map((source) => source.configMap?.name)]
    case 'serviceaccounts':
      return []
    case 'persistentvolumeclaims':
      return [
        volume.persistentVolumeClaim?.claimName,
        volume.ephemeral === undefined ? undefined : `${pod}-${volume.name ?? ''}`,
      ]
  }
}

const containerNames = (
  { env = [], envFrom = [] }: ContainerReferences,
  kind: ReferencedKind,
): (string | undefined)[] =>
  kind === 'secrets'
    ? [
        ...env.map((one) => one.valueFrom?.secretKeyRef?.name),
        ...envFrom.map((one) => one.secretRef?.name),
      ]
    : [
        ...env.map((one) => one.valueFrom?.configMapKeyRef?.name),
        ...envFrom.map((one) => one.configMapRef?.name),
      ]
