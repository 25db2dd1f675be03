// Writes of subresources, the same for the wire and the in-process client.
import type { KubeObject, Stored } from '../../resources/object.ts'
import { noSuchResource } from '../api-errors.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { withApproval } from './approval.ts'
import { boundPod } from './binding.ts'
import { afterUpdate } from '../registry/deletion.ts'
import type { Change, Place, Registry } from '../registry/registry.ts'
import type { WriteOptions } from '../registry/request-options.ts'
import { withEphemeralContainers, withResources } from './pod-changes.ts'
import { type Scale, scaleOf, withScale } from './scale.ts'
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
    const object = merges[subresource](current, change(current))
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
  const stored = await registry.change(
    place,
    (current) => withScale(type, current, change(scaleOf(type, current))),
    options,
  )
  return scaleOf(type, stored.object)
}

export const bindPod = async (
  registry: Registry,
  place: Place,
  node: string,
  options: WriteOptions,
): Promise<void> => {
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
