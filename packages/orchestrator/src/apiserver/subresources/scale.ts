// The scale subresource: a workload seen as autoscaling/v1 Scale, and a Scale written back into it.
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { badRequest, invalid, modifiedConflict } from '../api-errors.ts'

export interface Scale extends KubeObject {
  readonly spec: { readonly replicas: number }
  readonly status: { readonly replicas: number; readonly selector: string }
}

export const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }

export const scaleOf = (type: ResourceType, object: Stored<KubeObject>): Stored<Scale> => {
  const { scale } = type.subresources
  if (scale === undefined) throw badRequest(`${type.plural} has no scale`)
  const { specReplicas, statusReplicas, selector } = scale.get(object)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { replicas: specReplicas },
    status: { replicas: statusReplicas, selector },
  }
}

/** The replicas that `sent`, a Scale from a client, asks for. Throws ApiError for those that nothing can have, and Conflict. */
export const replicasAsked = (
  type: ResourceType,
  current: Stored<KubeObject>,
  sent: KubeObject,
): number => {
  const { name, resourceVersion } = current.metadata
  const asked = sent.metadata.resourceVersion ?? ''
  if (asked !== '' && asked !== resourceVersion) {
    throw modifiedConflict({ group: type.group, resource: type.plural }, name)
  }
  const replicas = specReplicas(sent)
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > 2 ** 31 - 1) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
      },
    ])
  }
  return replicas
}

/** The workload with other replicas; itself where it has them already. */
export const withReplicas = (
  type: ResourceType,
  current: Stored<KubeObject>,
  replicas: number,
): KubeObject => {
  const { scale } = type.subresources
  if (scale === undefined) throw badRequest(`${type.plural} has no scale`)
  return scale.get(current).specReplicas === replicas ? current : scale.set(current, replicas)
}

const specReplicas = (sent: KubeObject): number => {
  const { spec } = sent as KubeObject & { spec?: unknown }
  if (typeof spec !== 'object' || spec === null || !('replicas' in spec)) return 0
  if (typeof spec.replicas !== 'number') {
    throw badRequest(
      'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32',
    )
  }
  return spec.replicas
}
