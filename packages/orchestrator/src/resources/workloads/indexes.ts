// Sets of completion indexes as texts: `0-2,5`. A text stays short as long as its indexes are close to each other.

/** A text longer than that is not ours. */
const textLengthMax = 64 * 1024

/** Undefined: no such text, or an index at or above `below`. */
export function parseIndexes(text: string, below: number): Set<number> | undefined {
  const indexes = new Set<number>()
  if (text === '') return indexes
  if (text.length > textLengthMax) return undefined
  let last = -1
  for (const part of text.split(',')) {
    const [, first = '', end = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? []
    if (first === '' || Number(first) <= last || Number(end) < Number(first)) return undefined
    if (Number(end) >= below) return undefined
    for (let index = Number(first); index <= Number(end); index++) indexes.add(index)
    last = Number(end)
  }
  return indexes
}

export function formatIndexes(indexes: Iterable<number>): string {
  const parts: string[] = []
  let first: number | undefined
  let last = -1
  const close = (): void => {
    if (first === undefined) return
    // Two neighbours are listed, three and more are a range.
    if (last === first) parts.push(String(first))
    else parts.push(last === first + 1 ? `${first},${last}` : `${first}-${last}`)
  }
  for (const index of [...indexes].toSorted((left, right) => left - right)) {
    if (first !== undefined && index === last + 1) last = index
    else {
      close()
      first = index
      last = index
    }
  }
  close()
  return parts.join(',')
}
