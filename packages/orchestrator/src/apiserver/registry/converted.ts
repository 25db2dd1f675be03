// Objects between the version that a request speaks and the version that is stored: at once where that is a matter of their apiVersion or
// of a function, after a question where a webhook converts them.
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { fromStored } from '../../resources/served-version.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { decodeAs, decodeKind, type DecodeOptions } from './decode.ts'
import type { Registry } from './registry.ts'

/** An object of the stored version from JSON of the version `type`. Throws ApiError, or rejects with it. */
export const decodeFor = (
  { conversion, type: storage }: Registry,
  type: ResourceType,
  value: Json,
  options: DecodeOptions,
): KubeObject | Promise<KubeObject> =>
  conversion === undefined
    ? decodeAs(type, value, options)
    : conversion.one(type.defaults(decodeKind(type, value, options)), storage)

/** `change` of an object as the version `type` shows it: computes JSON of that version from it. */
export const changeFor =
  (
    registry: Registry,
    type: ResourceType,
    change: (shown: Json) => Json,
    options: DecodeOptions,
  ): ((current: KubeObject) => KubeObject | Promise<KubeObject>) =>
  (current) => {
    const { conversion } = registry
    if (conversion === undefined) {
      return decodeAs(type, change(fromStored(type, current) as unknown as Json), options)
    }
    return conversion
      .one(current, type)
      .then((shown) => decodeFor(registry, type, change(shown as unknown as Json), options))
  }

/** What a reply in the version `type` shows of stored objects. */
export const shownFor = async (
  { conversion }: Registry,
  type: ResourceType,
  stored: readonly StoredObject[],
): Promise<readonly StoredObject[]> =>
  conversion === undefined ? stored : conversion.shown(stored, type)
