// The pods of a StatefulSet: each has an ordinal, and from it a name, a host name and volumes.
import type { Stored } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import type { StatefulSet } from '../../resources/workloads/stateful-set.ts'
import { deletionOf, type Action } from '../action.ts'
import { metadataFrom } from '../owner.ts'
import { podEvents } from '../pod-actions.ts'
import type { Revision } from '../revisions.ts'

export const podNameLabel = 'statefulset.kubernetes.io/pod-name'
export const podIndexLabel = 'apps.kubernetes.io/pod-index'
export const revisionLabel = 'controller-revision-hash'

export const memberName = (set: Stored<StatefulSet>, ordinal: number): string =>
  `${set.metadata.name}-${ordinal}`

/** Undefined: the name is no member's. */
export function ordinalOf(set: Stored<StatefulSet>, pod: Stored<Pod>): number | undefined {
  const [, parent, digits = ''] = /^(.*)-(0|[1-9][0-9]{0,8})$/.exec(pod.metadata.name) ?? []
  return parent === set.metadata.name ? Number(digits) : undefined
}

export const claimName = (template: string, member: string): string => `${template}-${member}`

export const firstOrdinal = ({ spec }: Stored<StatefulSet>): number => spec.ordinals?.start ?? 0
export const replicasOf = ({ spec }: Stored<StatefulSet>): number => spec.replicas ?? 1

/** What other pods and volumes find it by. */
export const identityLabels = (name: string, ordinal: number): Record<string, string> => ({
  [podNameLabel]: name,
  [podIndexLabel]: String(ordinal),
})

export function memberCreation(
  set: Stored<StatefulSet>,
  revision: Revision,
  ordinal: number,
): Action {
  const name = memberName(set, ordinal)
  const { template } = revision
  const metadata = metadataFrom(template.metadata, set)
  const labels = {
    ...metadata.labels,
    ...identityLabels(name, ordinal),
    [revisionLabel]: revision.name,
  }
  const object: Omit<Pod, 'status'> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, labels },
    spec: memberSpec(set, template.spec, name),
  }
  return { type: 'create', ref: podType, object, ...memberEvents(set, 'Create', 'create', name) }
}

const memberSpec = (set: Stored<StatefulSet>, spec: PodSpec, name: string): PodSpec => {
  const claims = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(metadata.name ?? '', name), readOnly: false },
  }))
  const claimed = new Set(claims.map((volume) => volume.name))
  const volumes = [...(spec.volumes ?? []).filter((volume) => !claimed.has(volume.name)), ...claims]
  return {
    ...spec,
    hostname: name,
    subdomain: set.spec.serviceName,
    ...(volumes.length === 0 ? {} : { volumes }),
  }
}

export function memberDeletion(set: Stored<StatefulSet>, pod: Stored<Pod>): Action {
  return deletionOf(podType, pod, memberEvents(set, 'Delete', 'delete', pod.metadata.name))
}

const memberEvents = (
  set: Stored<StatefulSet>,
  reason: 'Create' | 'Delete',
  verb: string,
  pod: string,
): ReturnType<typeof podEvents> => {
  const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`
  return podEvents(set, reason, `${what} successful`, `${what} failed error: ERROR`)
}

/** Gives back the labels of its identity, if somebody took them. */
export function identityRepair(pod: Stored<Pod>, ordinal: number): Action[] {
  const { namespace, name, uid, labels = {} } = pod.metadata
  const wanted = identityLabels(name, ordinal)
  if (Object.entries(wanted).every(([key, value]) => labels[key] === value)) return []
  const patch = { metadata: { uid, labels: wanted } }
  return [{ type: 'patch', ref: podType, namespace, name, patch }]
}
