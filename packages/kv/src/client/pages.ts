// A range of any size in parts of one revision: what is written meanwhile is not seen, and nothing is held in memory but a page.
import type { KvPair, Kv, RangeOptions, RangeResult } from '../kv.ts'
import { keysOf } from './convert.ts'

export type PagesOptions = Omit<RangeOptions, 'limit' | 'sort' | 'countOnly'> & {
  /** 1,000 if left out. */
  readonly pageSize?: number
}

const pageSizeDefault = 1000
const oneZero = new Uint8Array(1)

/** In the order of keys. `revision` of every page is the one that is read. Throws COMPACTED if it is compacted before the last page. */
export async function* pages(
  kv: Pick<Kv, 'range'>,
  options: PagesOptions,
): AsyncGenerator<RangeResult, void, undefined> {
  const { pageSize = pageSizeDefault, prefix: _, ...rest } = options
  let { key, rangeEnd } = keysOf(options)
  let revision = options.revision ?? 0
  for (;;) {
    const end = rangeEnd.length === 0 ? {} : { rangeEnd }
    const page = await kv.range({ ...rest, key, ...end, revision, limit: pageSize })
    if (revision === 0) revision = page.revision
    yield { ...page, revision }
    const last = page.pairs.at(-1)
    if (!page.more || last === undefined) return
    key = Buffer.concat([last.key, oneZero])
  }
}

/** The pairs of `pages`, one by one. */
export async function* pairs(
  kv: Pick<Kv, 'range'>,
  options: PagesOptions,
): AsyncGenerator<KvPair, void, undefined> {
  for await (const page of pages(kv, options)) yield* page.pairs
}
