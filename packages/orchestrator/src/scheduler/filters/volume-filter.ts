// Where a pod's claims let it go: bound ones to the nodes of their volumes; those that wait for their first consumer to nodes with a free
// volume, or where the provisioner makes one.
import type { PersistentVolumeClaim } from '../../resources/storage/persistent-volume-claim.ts'
import type { PersistentVolume } from '../../resources/storage/persistent-volume.ts'
import type { StorageClass } from '../../resources/storage/storage-class.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Stored } from '../../resources/object.ts'
import { matchesNodeTerms } from '../node-affinity.ts'
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'
import { amountOf } from '../snapshot/pod-demand.ts'
import {
  bindCompletedAnnotation,
  selectedNodeAnnotation,
  type VolumeView,
} from '../snapshot/volume-view.ts'
import { refusal, type NodeFilter } from './filter.ts'

type Claim = Stored<PersistentVolumeClaim>
type Volume = Stored<PersistentVolume>

/** What must be written before the pod can be bound. */
export interface VolumeDecision {
  readonly bindings: readonly { readonly claimKey: string; readonly volume: string }[]
  /** Claims whose volume is to be made for the node. */
  readonly provisions: readonly string[]
}
export interface VolumePlan {
  /** Undefined: the pod has no claims. */
  readonly filter: NodeFilter | undefined
  /** For a node that the filter let through; undefined: nothing to do. */
  decide(state: NodeState): VolumeDecision | undefined
}

const elsewhere = refusal('volumes', 'node(s) had volume node affinity conflict', true)
const unbindable = refusal(
  'volumes',
  `node(s) didn't find available persistent volumes to bind`,
  true,
)
const missingVolume = refusal(
  'volumes',
  'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
  true,
)
const usedByOther = refusal(
  'volumes',
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
)
const noProvisioner = 'kubernetes.io/no-provisioner'
const zoneLabels: readonly string[] = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
]

const noPlan: VolumePlan = { filter: undefined, decide: () => undefined }

/** A text: no node can take the pod, for that reason. */
export function planVolumes({ claims: keys }: PodFacts, view: ClusterView): VolumePlan | string {
  if (keys.length === 0) return noPlan
  const { volumes } = view
  const bound: (Volume | undefined)[] = []
  const waiting: { readonly claim: Claim; readonly storageClass: Stored<StorageClass> }[] = []
  let isExclusive = false
  for (const key of keys) {
    const claim = volumes.claim(key)
    const name = key.slice(key.indexOf('/') + 1)
    if (claim === undefined) return `persistentvolumeclaim ${JSON.stringify(name)} not found`
    if (claim.metadata.deletionTimestamp !== undefined)
      return `persistentvolumeclaim ${JSON.stringify(name)} is being deleted`
    const accessModes = claim.spec.accessModes ?? []
    if (accessModes.includes('ReadWriteOncePod') && volumes.users(key) > 0) isExclusive = true
    if (isBound(claim)) bound.push(volumes.volume(claim.spec.volumeName ?? ''))
    else {
      const storageClass = volumes.storageClass(claim.spec.storageClassName ?? '')
      if (storageClass?.volumeBindingMode !== 'WaitForFirstConsumer')
        return 'pod has unbound immediate PersistentVolumeClaims'
      waiting.push({ claim, storageClass })
    }
  }
  const decide = (state: NodeState): VolumeDecision | undefined => {
    const bindings: { claimKey: string; volume: string }[] = []
    const provisions: string[] = []
    const taken = new Set<string>()
    for (const { claim, storageClass } of waiting) {
      const claimKey = `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`
      const volume = smallestFor(claim, claimKey, state, volumes, taken)
      if (volume !== undefined) {
        taken.add(volume.metadata.name)
        bindings.push({ claimKey, volume: volume.metadata.name })
      } else if (canProvision(claim, storageClass, state)) provisions.push(claimKey)
      else return undefined
    }
    return { bindings, provisions }
  }
  const filter: NodeFilter = (state) => {
    if (isExclusive) return usedByOther
    for (const volume of bound) {
      if (volume === undefined) return missingVolume
      if (!isReachable(volume, state)) return elsewhere
    }
    return waiting.length === 0 || decide(state) !== undefined ? undefined : unbindable
  }
  return { filter, decide: waiting.length === 0 ? () => undefined : decide }
}

const isBound = ({ spec, status, metadata }: Claim): boolean =>
  (spec.volumeName ?? '') !== '' &&
  (status?.phase === 'Bound' || metadata.annotations?.[bindCompletedAnnotation] !== undefined)

/** By the volume's node affinity, and by zone and region where it has their labels. */
function isReachable({ metadata, spec }: Volume, { node, labels }: NodeState): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
  if (node === undefined) return false
  if (terms !== undefined && !matchesNodeTerms(terms, node)) return false
  return zoneLabels.every((key) => {
    const zones = metadata.labels?.[key]
    return zones === undefined || zones.split('__').includes(labels[key] ?? '')
  })
}

function smallestFor(
  { spec }: Claim,
  claimKey: string,
  state: NodeState,
  volumes: VolumeView,
  taken: ReadonlySet<string>,
): Volume | undefined {
  const asked = amountOf('storage', spec.resources?.requests?.['storage'] ?? '0')
  let best: { readonly volume: Volume; readonly size: number } | undefined
  for (const volume of volumes.freeVolumes(spec.storageClassName ?? '', claimKey)) {
    const size = amountOf('storage', volume.spec.capacity?.['storage'] ?? '0')
    const fits =
      size >= asked &&
      (best === undefined || size < best.size) &&
      !taken.has(volume.metadata.name) &&
      (volume.spec.volumeMode ?? 'Filesystem') === (spec.volumeMode ?? 'Filesystem') &&
      (spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)) &&
      (spec.selector === undefined || matchesSelector(spec.selector, volume.metadata.labels)) &&
      isReachable(volume, state)
    if (fits) best = { volume, size }
  }
  return best?.volume
}

function canProvision(
  { metadata }: Claim,
  { provisioner, allowedTopologies }: StorageClass,
  { name, labels }: NodeState,
): boolean {
  if (provisioner === noProvisioner || provisioner === '') return false
  const selected = metadata.annotations?.[selectedNodeAnnotation] ?? ''
  if (selected !== '' && selected !== name) return false
  return (
    allowedTopologies === undefined ||
    allowedTopologies.length === 0 ||
    allowedTopologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
    )
  )
}
