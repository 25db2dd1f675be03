// The order of lists after a strategic merge: elements the patch names in the patch's order, all others where they stood.
import { jsonEqual } from '../json-equal.ts'
import type { Json } from '../object.ts'
import { isJsonObject, memberOf } from './patch-result.ts'

/** Appends what is new and drops repetitions. */
export const mergeScalars = (original: readonly Json[], patch: readonly Json[]): Json[] => {
  const merged: Json[] = []
  for (const item of [...original, ...patch]) {
    if (!merged.some((one) => jsonEqual(one, item))) merged.push(item)
  }
  return merged
}

export const deleteFromScalars = (list: readonly Json[], removed: readonly Json[]): Json[] =>
  list.filter((item) => !removed.some((one) => jsonEqual(one, item)))

/**
 * `order` lists elements (objects by their merge key, '' for scalars). Elements not in it keep their place relative to their
 * neighbours in `original`; where both have one, the original decides who comes first.
 */
export const inOrder = (
  merged: readonly Json[],
  order: readonly Json[],
  original: readonly Json[],
  mergeKey: string,
): Json[] => {
  const patchPlaces = placesOf(order, mergeKey)
  const originalPlaces = placesOf(original, mergeKey)
  const placeIn = (places: ReadonlyMap<string, number>, item: Json): number | undefined =>
    places.get(identityOf(item, mergeKey))
  const byPlace =
    (places: ReadonlyMap<string, number>) =>
    (left: Json, right: Json): number =>
      (placeIn(places, left) ?? places.size) - (placeIn(places, right) ?? places.size)
  const named = merged
    .filter((item) => placeIn(patchPlaces, item) !== undefined)
    .toSorted(byPlace(patchPlaces))
  const others = merged
    .filter((item) => placeIn(patchPlaces, item) === undefined)
    .toSorted(byPlace(originalPlaces))
  return interleave(others, named, (item) => placeIn(originalPlaces, item))
}

/** Merges two ordered lists: one of `others` goes first only where the original had it first. */
const interleave = (
  others: readonly Json[],
  named: readonly Json[],
  placeOf: (item: Json) => number | undefined,
): Json[] => {
  const result: Json[] = []
  let at = 0
  for (const item of named) {
    const place = placeOf(item)
    for (let other = others[at]; other !== undefined; other = others[at]) {
      const otherPlace = placeOf(other)
      if (place === undefined || otherPlace === undefined || otherPlace > place) break
      result.push(other)
      at++
    }
    result.push(item)
  }
  return [...result, ...others.slice(at)]
}

const placesOf = (list: readonly Json[], mergeKey: string): Map<string, number> => {
  const places = new Map<string, number>()
  for (const [index, item] of list.entries()) {
    const identity = identityOf(item, mergeKey)
    if (!places.has(identity)) places.set(identity, index)
  }
  return places
}

const identityOf = (item: Json, mergeKey: string): string =>
  JSON.stringify(mergeKey !== '' && isJsonObject(item) ? memberOf(item, mergeKey) : item) ?? ''
