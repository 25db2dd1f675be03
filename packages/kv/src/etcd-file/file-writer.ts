// Writes a bbolt file from its first byte to its last, with bounded memory. What stands in front depends on how much follows, so the rows
// are read twice: once to count pages, once to write them.
import { assert } from '@balsa/raft/assert'
import { BucketTree, encodePage, type FinishedPage } from './bucket-tree.ts'
import { encodeMetaPage, pageKind, pageSizeBytes, writePageHeader } from './page-format.ts'

export type FileRow = readonly [key: Uint8Array, value: Uint8Array]

export interface BucketRows {
  readonly name: string
  /** In key order, the same at every call. */
  rows(): AsyncIterable<readonly FileRow[]>
}

/** What is known of a file once its rows are counted. */
export interface FileLayout {
  readonly rootPage: number
  readonly pageCount: number
  readonly sizeBytes: number
}

/** Two meta pages and the list of free pages, which is empty. */
const headPages = 3
const freelistPage = 2

/** Buckets are sorted by name. */
export async function layOutFile(buckets: readonly BucketRows[]): Promise<FileLayout> {
  let pageCount = headPages
  const sink = (page: FinishedPage): number => {
    const id = pageCount
    pageCount += pagesOf(page)
    return id
  }
  const root = new BucketTree(sink)
  for (const bucket of buckets) {
    const tree = new BucketTree(sink)
    for await (const rows of bucket.rows()) {
      for (const [key, value] of rows) tree.add(key, value)
    }
    root.add(Buffer.from(bucket.name), tree.finishBucket(), true)
  }
  const rootPage = root.finish()
  return { rootPage, pageCount, sizeBytes: pageCount * pageSizeBytes }
}

/** The bytes of the file, in pieces of whole pages. The rows are those that were laid out. */
export async function* writeFile(
  buckets: readonly BucketRows[],
  { rootPage, pageCount }: FileLayout,
): AsyncIterable<Uint8Array> {
  for (const id of [0, 1]) {
    const txid = BigInt(id)
    const meta = { pageSizeBytes, rootPage, freelistPage: BigInt(freelistPage), pageCount, txid }
    yield encodeMetaPage(id, meta)
  }
  const freelist = new Uint8Array(pageSizeBytes)
  const head = { id: freelistPage, kind: pageKind.freelist, count: 0, overflow: 0 }
  writePageHeader(new DataView(freelist.buffer), head)
  yield freelist

  let next = headPages
  let pages: Uint8Array[] = []
  const sink = (page: FinishedPage): number => {
    const id = next
    next += pagesOf(page)
    pages.push(encodePage(page, { id, sizeBytes: pagesOf(page) * pageSizeBytes }))
    return id
  }
  const root = new BucketTree(sink)
  for (const bucket of buckets) {
    const tree = new BucketTree(sink)
    for await (const rows of bucket.rows()) {
      for (const [key, value] of rows) tree.add(key, value)
      const ready = pages
      pages = []
      yield* ready
    }
    root.add(Buffer.from(bucket.name), tree.finishBucket(), true)
  }
  assert(root.finish() === rootPage && next === pageCount, 'the rows are those that were laid out')
  yield* pages
}

function pagesOf({ sizeBytes }: FinishedPage): number {
  return Math.ceil(sizeBytes / pageSizeBytes)
}
