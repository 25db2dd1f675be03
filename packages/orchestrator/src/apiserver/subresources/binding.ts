// The binding subresource of pods: the scheduler's decision, written once.
import type { KubeObject, Stored } from '../../resources/object.ts'
import { badRequest, conflict } from '../api-errors.ts'
import type { VirtualResource } from '../discovery/discovery.ts'
import { timestamp } from '../registry/object-metadata.ts'

interface BoundPod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly schedulingGates?: readonly unknown[] }
  readonly status?: { readonly conditions?: readonly { readonly type: string }[] }
}

/** Bindings are created beside pods as well as below them. */
export const bindingResource: VirtualResource = {
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  singular: 'binding',
  namespaced: true,
  verbs: ['create'],
}

/** The pod bound to `node`. Throws ApiError Conflict when it is bound already or being deleted. */
export const boundPod = (current: Stored<KubeObject>, node: string, nowMs: number): KubeObject => {
  if (node === '') throw badRequest('the target of a binding must name a node')
  const pod = current as Stored<BoundPod>
  const { name, deletionTimestamp } = pod.metadata
  const refuse = (why: string): Error =>
    conflict({ group: '', resource: 'pods/binding' }, name, why)
  if (deletionTimestamp !== undefined) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  }
  const bound = pod.spec.nodeName ?? ''
  if (bound !== '') throw refuse(`pod ${name} is already assigned to node "${bound}"`)
  if ((pod.spec.schedulingGates ?? []).length > 0) {
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  }
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(nowMs),
  }
  return {
    ...pod,
    spec: { ...pod.spec, nodeName: node },
    status: { ...pod.status, conditions: [...others, scheduled] },
  } as KubeObject
}
