// How many keys there are below each prefix that ends with a slash: found by leaping from one prefix to the next, so that a million keys below
// one of them cost one question.
import { prefixEnd } from '../../mvcc/key-range.ts'
import type { Kv } from '../../kv.ts'

export interface KeyGroup {
  /** A prefix with its slash at the end, or a whole key that has none. */
  readonly name: string
  readonly keys: number
}

/** Prefixes that are asked for in one look. */
const groupsMax = 50
const slash = 0x2f
const oneZero: Uint8Array = new Uint8Array(1)

/** The largest first; `total` has the keys of those as well that there were too many of. */
export async function keyGroups(
  kv: Pick<Kv, 'range'>,
  prefix: string,
): Promise<{ groups: readonly KeyGroup[]; total: number }> {
  const below = Buffer.from(prefix)
  const end = prefixEnd(below)
  const { count: total } = await kv.range({ prefix, countOnly: true })
  const groups: KeyGroup[] = []
  let cursor: Uint8Array = below.length === 0 ? oneZero : below
  for (let left = total; left > 0 && groups.length < groupsMax;) {
    const range = { key: cursor, rangeEnd: end, limit: 1, keysOnly: true }
    const [first] = (await kv.range(range)).pairs
    if (first === undefined) break
    const key = Buffer.from(first.key)
    // A slash at the very beginning does not part anything.
    const at = key.indexOf(slash, Math.max(below.length, 1))
    const name = at < 0 ? key : key.subarray(0, at + 1)
    const keys = at < 0 ? 1 : (await kv.range({ prefix: name, countOnly: true })).count
    groups.push({ name: name.toString(), keys })
    left -= keys
    cursor = at < 0 ? Buffer.concat([key, oneZero]) : prefixEnd(name)
    if (cursor.length === 1 && cursor[0] === 0) break
  }
  return { groups: groups.sort((a, b) => b.keys - a.keys), total }
}
