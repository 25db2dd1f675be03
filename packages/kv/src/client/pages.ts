// A range of any size in parts of one revision: what is written meanwhile is not seen, and nothing is held in memory but a page.
import type { KvPair, Kv, RangeOptions, RangeResult, StreamOptions } from '../kv.ts'
import { KvError } from '../errors.ts'
import { transientCodes } from './caller.ts'
import { keysOf } from './convert.ts'

export type PagesOptions = Omit<RangeOptions, 'limit' | 'sort' | 'countOnly'> & {
  /** 1,000 if left out. What a server streams comes in parts of its own choice. */
  readonly pageSize?: number
}

const pageSizeDefault = 1000
const oneZero = new Uint8Array(1)

type Source = Pick<Kv, 'range'> & Partial<Pick<Kv, 'rangeStream'>>
type Rest = Pick<StreamOptions, 'key' | 'rangeEnd'> & Pick<RangeResult, 'revision' | 'header'>

/**
 * In the order of keys. `revision` of every page is the one that is read; `count` is that of its pairs and, without a stream, of all
 * after it; `header` is that of the last page that was asked for. Throws COMPACTED if it is compacted before the last page.
 */
export async function* pages(
  kv: Source,
  options: PagesOptions,
): AsyncGenerator<RangeResult, void, undefined> {
  const { pageSize = pageSizeDefault, prefix: _, ...rest } = options
  let { key, rangeEnd } = keysOf(options)
  let revision = options.revision ?? 0
  let mayStream = kv.rangeStream !== undefined && isPlain(options)
  for (;;) {
    const end = rangeEnd.length === 0 ? {} : { rangeEnd }
    const page = await kv.range({ ...rest, key, ...end, revision, limit: pageSize })
    if (revision === 0) revision = page.revision
    yield { ...page, revision }
    let last = page.pairs.at(-1)
    if (!page.more || last === undefined) return
    if (mayStream) {
      mayStream = false
      const ahead = { key: after(last), ...end, revision, header: page.header }
      const streamed = yield* streamedRest(kv, options, ahead)
      if (streamed.isWhole) return
      last = streamed.last ?? last
    }
    key = after(last)
  }
}

/** The pairs of `pages`, one by one. */
export async function* pairs(
  kv: Source,
  options: PagesOptions,
): AsyncGenerator<KvPair, void, undefined> {
  for await (const page of pages(kv, options)) yield* page.pairs
}

/** As far as the server streams it: one that knows no streams, or is lost on the way, leaves what is left to pages. */
async function* streamedRest(
  kv: Source,
  { serializable = false, keysOnly = false, signal }: PagesOptions,
  { header, ...rest }: Rest,
): AsyncGenerator<RangeResult, { readonly isWhole: boolean; readonly last?: KvPair }, undefined> {
  const options = { ...rest, serializable, keysOnly, ...(signal === undefined ? {} : { signal }) }
  let last: KvPair | undefined
  try {
    for await (const part of kv.rangeStream?.(options) ?? []) {
      if (part.length === 0) continue
      last = part.at(-1)
      yield { pairs: part, more: true, count: part.length, revision: rest.revision, header }
    }
    return { isWhole: true }
  } catch (reason) {
    if (!(reason instanceof KvError) || !isLeftToPages(reason)) throw reason
    return { isWhole: false, ...(last === undefined ? {} : { last }) }
  }
}

/** What RangeStream knows. */
function isPlain(options: PagesOptions): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = options
  const bounds = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision]
  return options.maxStalenessMs === undefined && bounds.every((bound) => (bound ?? 0) === 0)
}

function isLeftToPages({ code }: KvError): boolean {
  return code === 'UNIMPLEMENTED' || code === 'INVALID_AUTH_TOKEN' || transientCodes.has(code)
}

function after({ key }: KvPair): Uint8Array {
  return Buffer.concat([key, oneZero])
}
