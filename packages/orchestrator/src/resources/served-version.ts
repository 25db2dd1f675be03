// Further versions of a stored kind, as Kubernetes serves betas and the groups that kinds have moved from.
import type { KubeObject, ResourceType } from './object.ts'

export interface ServedVersion {
  /** Left out: that of the stored kind. */
  readonly group?: string
  readonly version: string
  /** Left out: both versions have the same fields. */
  readonly toStorage?: (object: KubeObject) => KubeObject
  readonly fromStorage?: (object: KubeObject) => KubeObject
}

/** `storage` as another version shows it. Its objects are stored, defaulted and validated as those of `storage`. */
export const servedAs = (storage: ResourceType, served: ServedVersion): ResourceType => {
  const { group = storage.group, version, toStorage, fromStorage } = served
  return {
    ...storage,
    group,
    version,
    storage,
    ...(toStorage === undefined ? {} : { toStorage }),
    ...(fromStorage === undefined ? {} : { fromStorage }),
  }
}

export const apiVersionOf = ({
  group,
  version,
}: {
  readonly group: string
  readonly version: string
}): string => (group === '' ? version : `${group}/${version}`)

/** An object of the version `type` in the version that is stored. */
export const toStored = <T extends KubeObject>(type: ResourceType, object: T): T => {
  const { storage } = type
  if (storage === undefined) return object
  const converted = type.toStorage?.(object) ?? object
  return { ...converted, apiVersion: apiVersionOf(storage), kind: storage.kind } as T
}

/** A stored object in the version `type`. */
export const fromStored = <T extends KubeObject>(type: ResourceType, object: T): T => {
  if (type.storage === undefined) return object
  const converted = type.fromStorage?.(object) ?? object
  return { ...converted, apiVersion: apiVersionOf(type), kind: type.kind } as T
}
