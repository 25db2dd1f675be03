// Writes of subresources, the same for the wire and the in-process client.
import type { Json, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { noSuchResource } from '../api-errors.ts'
import { applied, type ApplyRequest } from '../apply/server-side-apply.ts'
import { decodeAs, decodeKind, lenient } from '../registry/decode.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { withApproval } from './approval.ts'
import { boundPod } from './binding.ts'
import { afterUpdate } from '../registry/deletion.ts'
import type { Change, Place, Registry } from '../registry/registry.ts'
import type { WriteOptions } from '../registry/request-options.ts'
import { withEphemeralContainers, withResources } from './pod-changes.ts'
import { replicasAsked, type Scale, scaleKind, scaleOf, withReplicas } from './scale.ts'
import { findSubresource } from './subresource-table.ts'

/** Subresources that are written with an object of the parent's kind. */
export type ObjectSubresource =
  | 'status'
  | 'finalize'
  | 'approval'
  | 'ephemeralcontainers'
  | 'resize'

export const changeSubresource = async (
  registry: Registry,
  place: Place,
  request: {
    readonly subresource: ObjectSubresource
    readonly change: Change
    readonly options: WriteOptions
  },
): Promise<StoredObject> => {
  const { subresource, change, options } = request
  if (findSubresource(registry.type, subresource) === undefined) throw noSuchResource()
  if (subresource === 'status') return registry.changeStatus(place, change, options)
  return registry.swap(place, options, async (current) => {
    const object = merges[subresource](current, await change(current))
    const admitted = await registry.admitted(subresource, { place, object, current, options })
    return afterUpdate(registry.type, admitted)
  })
}

/** `change` computes the next Scale from the current one. */
export const changeScale = async (
  registry: Registry,
  place: Place,
  change: (current: Stored<Scale>) => KubeObject,
  options: WriteOptions,
): Promise<Stored<Scale>> => {
  const { type } = registry
  const stored = await registry.changeScale(
    place,
    async (current) => {
      const replicas = replicasAsked(type, current, change(scaleOf(type, current)))
      const admitted = await admittedReplicas(registry, { place, current, replicas, options })
      return withReplicas(type, current, admitted)
    },
    options,
  )
  return scaleOf(type, stored.object)
}

/** Server-side apply of a Scale: the manager owns the replicas of the workload through its scale. */
export const applyScale = async (
  registry: Registry,
  place: Place,
  order: Omit<ApplyRequest, 'type' | 'part'> & { readonly options: WriteOptions },
): Promise<Stored<Scale>> => {
  const { type } = registry
  const apply = {
    ...order,
    type,
    part: 'scale',
    config: workloadConfig(type, order.config),
  } as const
  const options: WriteOptions = { ...order.options, isApply: true }
  const change = async (current: Stored<KubeObject>): Promise<KubeObject> => {
    const object = decodeAs(type, applied(current, apply), lenient)
    const replicas = scaleOf(type, type.defaults(object) as Stored<KubeObject>).spec.replicas
    const admitted = await admittedReplicas(registry, { place, current, replicas, options })
    return withReplicas(type, object as Stored<KubeObject>, admitted)
  }
  const stored = await registry.changeScale(place, change, options)
  return scaleOf(type, stored.object)
}

/** Of an applied Scale, what it means to the workload. */
const workloadConfig = (type: ResourceType, config: Json): Json => {
  const sent = decodeKind(scaleKind, config, lenient) as KubeObject & {
    readonly spec?: { readonly replicas?: number }
  }
  const bare = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: {} }
  const replicas = sent.spec?.replicas
  const { scale } = type.subresources
  const scaled = replicas === undefined ? bare : (scale?.set(bare, replicas) ?? bare)
  return scaled as unknown as Json
}

/** What admission makes of a Scale. */
const admittedReplicas = async (
  registry: Registry,
  update: {
    readonly place: Place
    readonly current: Stored<KubeObject>
    readonly replicas: number
    readonly options: WriteOptions
  },
): Promise<number> => {
  const { place, current, replicas, options } = update
  const oldObject = scaleOf(registry.type, current)
  const object = { ...oldObject, spec: { replicas } }
  const write = { operation: 'UPDATE', subresource: 'scale', place, oldObject, options } as const
  const admitted = await registry.admit({ ...write, object })
  return admitted === object ? replicas : replicasAsked(registry.type, current, admitted)
}

export const bindPod = async (
  registry: Registry,
  place: Place,
  node: string,
  options: WriteOptions,
): Promise<void> => {
  const { namespace = '', name } = place
  const object = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace },
    target: { kind: 'Node', name: node },
  }
  const write = { operation: 'CREATE', subresource: 'binding', oldObject: undefined } as const
  await registry.admit({ ...write, place, object, options })
  await registry.swap(place, options, (current) => ({
    object: boundPod(current, node, Date.now()),
  }))
}

type Merge = (current: Stored<KubeObject>, sent: KubeObject) => KubeObject

/** Finalizing a Namespace replaces spec.finalizers and nothing else. */
const withSpecFinalizers = (current: Stored<KubeObject>, sent: KubeObject): KubeObject => {
  const { spec } = sent as KubeObject & { spec?: { finalizers?: unknown } }
  const old = current as Stored<KubeObject> & { spec?: object }
  return { ...old, spec: { ...old.spec, finalizers: spec?.finalizers ?? [] } } as KubeObject
}

/** The object as it may be stored, of the current one and what a client made of it. */
const merges: Readonly<Record<Exclude<ObjectSubresource, 'status'>, Merge>> = {
  finalize: withSpecFinalizers,
  approval: withApproval,
  ephemeralcontainers: withEphemeralContainers,
  resize: withResources,
}
