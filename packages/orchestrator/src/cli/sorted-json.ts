// JSON as Go writes it: keys in order of the alphabet, `<`, `>` and `&` escaped. Equal objects give equal texts, whichever program wrote
// them, so that kubectl and balsa can take turns at `apply`.

/** A copy whose keys are in order, all the way down. */
export const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  )
}

export const sortedJson = (value: unknown, indent?: number): string =>
  JSON.stringify(sortKeys(value), undefined, indent).replaceAll(
    /[<>&]/g,
    (character) => String.raw`\u00${(character.codePointAt(0) ?? 0).toString(16)}`,
  )
