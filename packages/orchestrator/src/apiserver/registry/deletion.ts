// What a delete does to an object: it vanishes at once, or is marked and vanishes when its finalizers are gone and its grace is over.
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { timestamp } from './object-metadata.ts'
import type { DeleteOptions } from './request-options.ts'

/** The next version, or that there is none. */
export interface Outcome {
  readonly object: KubeObject
  /** The object is removed; `object` is its last state. */
  readonly isRemoved?: boolean
}

const foregroundFinalizer = 'foregroundDeletion'
const orphanFinalizer = 'orphan'

export const markForDeletion = (
  type: ResourceType,
  current: Stored<KubeObject>,
  options: DeleteOptions,
  nowMs: number,
): Outcome => {
  const { metadata } = current
  const grace = graceSeconds(type, current, options)
  const finalizers = finalizersFor(metadata.finalizers ?? [], options)
  const isPending = finalizers.length > 0 || hasSpecFinalizers(current) || grace > 0
  if (!isPending) return { object: current, isRemoved: true }
  const hasMark = metadata.deletionTimestamp !== undefined
  const graceBefore = metadata.deletionGracePeriodSeconds ?? 0
  const isShorter = hasMark && grace < graceBefore
  const mark =
    hasMark && !isShorter
      ? {}
      : {
          deletionTimestamp: timestamp(nowMs + grace * 1000),
          deletionGracePeriodSeconds: grace,
          ...(metadata.generation === undefined || hasMark
            ? {}
            : { generation: metadata.generation + 1 }),
        }
  const marked: KubeObject = { ...current, metadata: { ...metadata, ...mark } }
  const withFinalizers =
    finalizers.length === (metadata.finalizers ?? []).length
      ? marked
      : { ...marked, metadata: { ...marked.metadata, finalizers } }
  return { object: type.kind === 'Namespace' ? asTerminating(withFinalizers) : withFinalizers }
}

/** After an update: an object marked for deletion that nothing holds any more is removed. */
export const afterUpdate = (type: ResourceType, object: KubeObject): Outcome => {
  const { metadata } = object
  const isHeld =
    metadata.deletionTimestamp === undefined ||
    (metadata.finalizers ?? []).length > 0 ||
    (metadata.deletionGracePeriodSeconds ?? 0) > 0 ||
    (type.kind === 'Namespace' && hasSpecFinalizers(object))
  return isHeld ? { object } : { object, isRemoved: true }
}

/** The grace of a pending deletion is kept unless a shorter one is asked for. */
const graceSeconds = (
  type: ResourceType,
  current: Stored<KubeObject>,
  options: DeleteOptions,
): number => {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = current.metadata
  const grace = Math.max(0, type.gracePeriodSeconds?.(current, options.gracePeriodSeconds) ?? 0)
  if (deletionTimestamp === undefined) return grace
  return options.gracePeriodSeconds === undefined
    ? deletionGracePeriodSeconds
    : Math.min(grace, deletionGracePeriodSeconds)
}

const finalizersFor = (
  finalizers: readonly string[],
  { propagationPolicy }: DeleteOptions,
): readonly string[] => {
  if (propagationPolicy === undefined) return finalizers
  const others = finalizers.filter(
    (finalizer) => finalizer !== foregroundFinalizer && finalizer !== orphanFinalizer,
  )
  if (propagationPolicy === 'Foreground') return [...others, foregroundFinalizer]
  return propagationPolicy === 'Orphan' ? [...others, orphanFinalizer] : others
}

/** Namespaces have a second list of finalizers, in spec. */
const hasSpecFinalizers = (object: KubeObject): boolean => {
  if (object.kind !== 'Namespace') return false
  const { spec } = object as KubeObject & { spec?: { finalizers?: readonly string[] } }
  return (spec?.finalizers ?? []).length > 0
}

const asTerminating = (object: KubeObject): KubeObject => {
  const { status } = object as KubeObject & { status?: Readonly<Record<string, unknown>> }
  return { ...object, status: { ...status, phase: 'Terminating' } } as KubeObject
}
