// Gives a claim its volume: one that names it, the smallest free one that fits, or one that is made for it. A binding is four writes, the
// volume's first: whoever owns the volume's claimRef has won, and every later write can be repeated from what is there.
import { jsonEqual } from '../../resources/json-equal.ts'
import { persistentVolumeClaimType } from '../../resources/storage/persistent-volume-claim.ts'
import {
  persistentVolumeType,
  type ClaimReference,
} from '../../resources/storage/persistent-volume.ts'
import type { StorageClass } from '../../resources/storage/storage-class.ts'
import {
  bindCompletedAnnotation,
  selectedNodeAnnotation,
} from '../../scheduler/snapshot/volume-view.ts'
import { nothing, type Action, type Reconciliation } from '../action.ts'
import {
  boundByControllerAnnotation,
  isBindCompleted,
  isFit,
  isVolumeOf,
  localProvisioner,
  regarding,
  smallestFit,
  type Claim,
  type Volume,
} from './claim-volume.ts'
import { localVolume } from './local-volume.ts'

export interface ClaimView {
  readonly claim: Claim
  /** All that may serve it: those that name it, those without a claim, and the one that it names. */
  readonly volumes: readonly Volume[]
  readonly storageClass: StorageClass | undefined
  /** Where volumes of a node are; undefined: there is no such node. Without a name: of any node. */
  readonly placeFor: (
    nodeName: string | undefined,
  ) => { readonly nodeName: string; readonly folder: string } | undefined
}

const noProvisioner = 'kubernetes.io/no-provisioner'

export function reconcileClaim(view: ClaimView): Reconciliation {
  const { claim, volumes } = view
  const { volumeName = '' } = claim.spec
  if (isBindCompleted(claim)) return keepBound(claim, named(volumes, volumeName))
  if (claim.metadata.deletionTimestamp !== undefined) return nothing
  if (volumeName !== '') return bindNamed(claim, named(volumes, volumeName))
  const isWaiting =
    view.storageClass?.volumeBindingMode === 'WaitForFirstConsumer' &&
    view.storageClass.provisioner !== ''
  const own = volumes.find((volume) => isVolumeOf(volume, claim) && isFit(volume, claim))
  const found = own ?? (isWaiting ? undefined : smallestFit(claim, volumes))
  if (found !== undefined) return { actions: bindings(claim, found) }
  if (isWaiting && claim.metadata.annotations?.[selectedNodeAnnotation] === undefined)
    return tell(claim, 'Normal', 'WaitForFirstConsumer', waitText)
  return provision(view)
}

const waitText = 'waiting for first consumer to be created before binding'

const named = (volumes: readonly Volume[], name: string): Volume | undefined =>
  volumes.find(({ metadata }) => metadata.name === name)

function keepBound(claim: Claim, volume: Volume | undefined): Reconciliation {
  if (volume?.spec.claimRef !== undefined && isVolumeOf(volume, claim))
    return { actions: bindings(claim, volume) }
  if (volume !== undefined && volume.spec.claimRef === undefined)
    return { actions: bindings(claim, volume) }
  if (claim.status?.phase === 'Lost') return nothing
  const [reason, message] =
    volume === undefined
      ? ['ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!']
      : ['ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly']
  const { namespace, name, uid } = claim.metadata
  const { volumeName = '' } = claim.spec
  const event = { regarding: regarding(claim), type: 'Warning', reason, message } as const
  const lost: Action = {
    type: 'patch',
    ref: persistentVolumeClaimType,
    namespace,
    name,
    patch: { metadata: { uid }, status: { phase: 'Lost' } },
    subresource: 'status',
    // A cache may not have the volume yet.
    unless: { ref: persistentVolumeType, namespace: undefined, name: volumeName, uid: undefined },
    done: event,
  }
  // A volume that is somebody else's will not come back.
  if (volume === undefined) return { actions: [lost] }
  const { unless: _none, ...always } = lost
  return { actions: [always] }
}

function bindNamed(claim: Claim, volume: Volume | undefined): Reconciliation {
  if (volume === undefined) return nothing
  const { claimRef } = volume.spec
  if (claimRef !== undefined && !isVolumeOf(volume, claim))
    return tell(claim, 'Warning', 'FailedBinding', takenText(volume))
  if (claimRef === undefined && !isFit(volume, claim))
    return tell(claim, 'Warning', 'VolumeMismatch', mismatchText(volume))
  return { actions: bindings(claim, volume) }
}

const takenText = ({ metadata }: Volume): string =>
  `volume "${metadata.name}" already bound to a different claim.`
const mismatchText = ({ metadata }: Volume): string =>
  `Cannot bind to requested volume "${metadata.name}": it does not have what the claim asks for`

const tell = (
  claim: Claim,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Reconciliation => ({
  actions: [{ type: 'event', event: { regarding: regarding(claim), type, reason, message } }],
})

/** What is missing of a complete binding. */
function bindings(claim: Claim, volume: Volume): Action[] {
  const { namespace, name, uid } = claim.metadata
  const claimPatch = { type: 'patch', ref: persistentVolumeClaimType, namespace, name } as const
  const actions = volumeBindings(claim, volume)
  const isNamed = claim.spec.volumeName === volume.metadata.name
  if (!isNamed || !isBindCompleted(claim)) {
    const annotations = {
      [bindCompletedAnnotation]: 'yes',
      ...(isNamed ? {} : { [boundByControllerAnnotation]: 'yes' }),
    }
    const spec = { volumeName: volume.metadata.name }
    actions.push({ ...claimPatch, patch: { metadata: { uid, annotations }, spec } })
  }
  const { accessModes = [], capacity = {} } = volume.spec
  const status = { phase: 'Bound', accessModes, capacity }
  const { phase, accessModes: modes = [], capacity: size = {} } = claim.status ?? {}
  if (!jsonEqual(status, { phase, accessModes: modes, capacity: size })) {
    const patch = { metadata: { uid }, status }
    actions.push({ ...claimPatch, patch, subresource: 'status' })
  }
  return actions
}

function volumeBindings(claim: Claim, volume: Volume): Action[] {
  const { name, uid, resourceVersion } = volume.metadata
  const actions: Action[] = []
  const patch = {
    type: 'patch',
    ref: persistentVolumeType,
    namespace: undefined,
    name,
  } as const
  const { claimRef } = volume.spec
  if ((claimRef?.uid ?? '') === '') {
    const isOurs = claimRef === undefined
    const annotations = isOurs ? { [boundByControllerAnnotation]: 'yes' } : {}
    actions.push({
      ...patch,
      patch: {
        metadata: { uid, resourceVersion, annotations },
        spec: { claimRef: { ...claimReference(claim) } },
      },
    })
  }
  if (volume.status?.phase !== 'Bound')
    actions.push({
      ...patch,
      patch: { metadata: { uid }, status: { phase: 'Bound' } },
      subresource: 'status',
    })
  return actions
}

const claimReference = ({
  metadata,
}: Claim): Readonly<Record<string, string>> & ClaimReference => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  uid: metadata.uid,
  resourceVersion: metadata.resourceVersion,
})

function provision({ claim, storageClass, placeFor }: ClaimView): Reconciliation {
  const { storageClassName = '', selector } = claim.spec
  if (storageClassName === '')
    return tell(
      claim,
      'Normal',
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
    )
  if (storageClass === undefined)
    return tell(
      claim,
      'Warning',
      'ProvisioningFailed',
      `storageclass.storage.k8s.io "${storageClassName}" not found`,
    )
  const { provisioner } = storageClass
  if (provisioner === noProvisioner) return nothing
  if (provisioner !== localProvisioner) return waitForExternal(claim, provisioner)
  if (selector !== undefined)
    return tell(claim, 'Warning', 'ProvisioningFailed', 'claim.Spec.Selector is not supported')
  const selected = claim.metadata.annotations?.[selectedNodeAnnotation]
  const place = placeFor(selected)
  // The node that was chosen is gone: the scheduler chooses again.
  if (place === undefined) return selected === undefined ? nothing : unselect(claim)
  const object = localVolume({ claim, claimRef: claimReference(claim), storageClass, place })
  const done = {
    regarding: regarding(claim),
    type: 'Normal',
    reason: 'ProvisioningSucceeded',
    message: 'Successfully provisioned volume NAME',
  } as const
  return { actions: [{ type: 'create', ref: persistentVolumeType, object, done }] }
}

function unselect({ metadata: { namespace, name, uid } }: Claim): Reconciliation {
  const patch = { metadata: { uid, annotations: { [selectedNodeAnnotation]: null } } }
  return {
    actions: [{ type: 'patch', ref: persistentVolumeClaimType, namespace, name, patch }],
  }
}

const provisionerAnnotations = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
]

/** By these annotations a provisioner that runs elsewhere finds its claims. */
function waitForExternal(claim: Claim, provisioner: string): Reconciliation {
  const { namespace, name, uid, annotations } = claim.metadata
  const { actions } = tell(
    claim,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  )
  if (provisionerAnnotations.every((each) => annotations?.[each] === provisioner))
    return { actions }
  const wanted = Object.fromEntries(provisionerAnnotations.map((each) => [each, provisioner]))
  const patch = { metadata: { uid, annotations: wanted } }
  return {
    actions: [
      { type: 'patch', ref: persistentVolumeClaimType, namespace, name, patch },
      ...actions,
    ],
  }
}
