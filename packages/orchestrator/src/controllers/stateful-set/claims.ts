// The volume claims of a StatefulSet's pods: made before the pod, kept when it goes, unless the retention policy gives them an owner whose
// end is theirs: the set, or a pod that is scaled away.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject, OwnerReference, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { StatefulSet, VolumeClaim } from '../../resources/workloads/stateful-set.ts'
import type { Action, CollectionRef } from '../action.ts'
import { podEvents } from '../pod-actions.ts'
import { claimName } from './members.ts'

export const claimRef: CollectionRef = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumeclaims',
}

/** By name, in the namespace of the set. */
export type ClaimLookup = (name: string) => Stored<KubeObject> | undefined

const templatesOf = ({ spec }: Stored<StatefulSet>): readonly VolumeClaim[] =>
  spec.volumeClaimTemplates ?? []

/** Those of the pod that are not there yet. */
export const missingClaims = (
  set: Stored<StatefulSet>,
  member: string,
  find: ClaimLookup,
): Action[] =>
  templatesOf(set).flatMap((template) => {
    const name = claimName(template.metadata.name ?? '', member)
    return find(name) === undefined ? [claimCreation(set, template, name, member)] : []
  })

function claimCreation(
  set: Stored<StatefulSet>,
  template: VolumeClaim,
  name: string,
  member: string,
): Action {
  const { namespace } = set.metadata
  const { status: _pending, ...rest } = template
  const owners = ownersOf(set, undefined)
  const object: VolumeClaim = {
    ...rest,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...template.metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      ...(owners.length === 0 ? {} : { ownerReferences: owners }),
    },
  }
  const at = `in StatefulSet ${set.metadata.name}`
  const events = podEvents(
    set,
    'Create',
    `create Claim ${name} Pod ${member} ${at} success`,
    `create Claim ${name} for Pod ${member} ${at} failed error: ERROR`,
  )
  return { type: 'create', ref: claimRef, object, ...events }
}

/** Whether a claim of the pod to be made is on its way out, with the pod that had the name before: it must not be used again. */
export const hasStaleClaim = (
  set: Stored<StatefulSet>,
  member: string,
  find: ClaimLookup,
): boolean =>
  templatesOf(set).some((template) => {
    const claim = find(claimName(template.metadata.name ?? '', member))
    if (claim === undefined) return false
    return (
      claim.metadata.deletionTimestamp !== undefined ||
      (claim.metadata.ownerReferences ?? []).some(
        ({ kind, name }) => kind === 'Pod' && name === member,
      )
    )
  })

/** Brings the owners of the pod's claims in line with the policy. `condemned`: the pod is being scaled away. */
export function claimOwnerRepairs(
  set: Stored<StatefulSet>,
  pod: Stored<Pod>,
  condemned: boolean,
  find: ClaimLookup,
): Action[] {
  const { name: member } = pod.metadata
  return templatesOf(set).flatMap((template) => {
    const claim = find(claimName(template.metadata.name ?? '', member))
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return []
    const { ownerReferences = [] } = claim.metadata
    const others = ownerReferences.filter(
      ({ kind, uid, name: of }) => uid !== set.metadata.uid && !(kind === 'Pod' && of === member),
    )
    const wanted = [...others, ...ownersOf(set, condemned ? pod : undefined)]
    if (jsonEqual(wanted, ownerReferences)) return []
    const object: KubeObject = {
      ...claim,
      metadata: { ...claim.metadata, ownerReferences: wanted },
    }
    return [{ type: 'update', ref: claimRef, object }]
  })
}

/** `condemned`: the pod that is being scaled away. */
function ownersOf(set: Stored<StatefulSet>, condemned: Stored<Pod> | undefined): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  if (condemned !== undefined && whenScaled === 'Delete')
    return [{ apiVersion: 'v1', kind: 'Pod', ...identity(condemned) }]
  if (whenDeleted === 'Delete')
    return [{ apiVersion: set.apiVersion, kind: set.kind, ...identity(set) }]
  return []
}

const identity = ({ metadata }: Stored<KubeObject>): { name: string; uid: string } => ({
  name: metadata.name,
  uid: metadata.uid,
})
