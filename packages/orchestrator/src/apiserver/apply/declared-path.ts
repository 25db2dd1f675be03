// Where a field is, as server-side apply writes it: items of lists by their keys instead of their numbers.
import type { Json, ResourceType } from '../../resources/object.ts'
import { isJsonList, isJsonObject } from '../../resources/patch/patch-result.ts'
import { pathText } from './field-paths.ts'
import { itemElement } from './item-key.ts'
import { type Structure, structureOf } from './structure.ts'

/** `spec.containers[0].foo` of `object` as `.spec.containers[name="c"].foo`. */
export const declaredPath = (type: ResourceType, object: Json, path: string): string => {
  let text = ''
  let value: Json | undefined = object
  let at: Structure | undefined = structureOf(type)
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    if (name !== undefined) {
      text += `.${name}`
      value = isJsonObject(value) ? value[name] : undefined
      at = at?.member(name)
      continue
    }
    const item: Json | undefined = isJsonList(value) ? value[Number(index)] : undefined
    const items: Structure['items'] = at?.items
    text += items === undefined ? `[${index}]` : pathText(itemElement(item ?? null, items.keys))
    value = item
    at = items?.structure
  }
  return text
}
