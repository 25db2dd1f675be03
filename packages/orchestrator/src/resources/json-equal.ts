// Deep equality of JSON values: what "nothing changed" means for objects. A field that is undefined counts as absent.

/** True when both are the same JSON; the order of keys does not matter, the order of lists does. */
export const jsonEqual = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => jsonEqual(item, right[index]))
    )
  }
  return recordsEqual(left, right)
}

const recordsEqual = (left: object, right: object): boolean => {
  const leftEntries = Object.entries(left).filter(([, value]) => value !== undefined)
  const rightMap = new Map<string, unknown>(
    Object.entries(right).filter(([, value]) => value !== undefined),
  )
  return (
    leftEntries.length === rightMap.size &&
    leftEntries.every(([key, value]) => rightMap.has(key) && jsonEqual(value, rightMap.get(key)))
  )
}
