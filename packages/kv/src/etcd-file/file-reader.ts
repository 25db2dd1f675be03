// Reads a bbolt file that anyone may have made: every number in it is checked against the file before it is used, no page is used twice,
// and keys ascend. So a walk ends, and takes no more memory than its largest page and a bit for each page.
import { EtcdFileError } from './etcd-file-error.ts'
import {
  bucketFlag,
  bucketHeaderSizeBytes,
  decodeMetaPage,
  elementSizeBytes,
  noFreelist,
  pageHeaderSizeBytes,
  pageKind,
  readPageHeader,
  readPageId,
  type Meta,
  type PageHeader,
} from './page-format.ts'

/** Bytes that stay what they are. */
export interface ByteSource {
  readonly sizeBytes: number
  /** `length` bytes from `offset`; both lie in the source. What is returned is not written to later. */
  read(offset: number, length: number): Uint8Array
}

/** One bucket at the top of the file. */
export interface FileBucket {
  readonly name: Uint8Array
  /** In key order, once. Throws EtcdFileError. */
  rows(): Iterable<readonly [key: Uint8Array, value: Uint8Array]>
}

/** What a meta page takes at most. */
const headSizeBytes = 1024
const pageSizesBytes: readonly number[] = Array.from({ length: 7 }, (_, i) => 1024 << i)
/** A tree of the largest file is not half as deep. */
const depthMax = 32
/** In place of a freelist's count that does not fit. */
const countElsewhere = 0xffff

interface Page {
  readonly header: PageHeader
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Where it begins in the file. */
  readonly offset: number
}

interface Bounds {
  readonly from: Uint8Array | undefined
  /** The first key that is not in it. */
  readonly to: Uint8Array | undefined
}
const everything: Bounds = { from: undefined, to: undefined }

export class EtcdFile {
  readonly meta: Meta
  readonly #source: ByteSource
  readonly #used: Uint8Array

  private constructor(source: ByteSource, meta: Meta) {
    this.#source = source
    this.meta = meta
    this.#used = new Uint8Array(Math.ceil(meta.pageCount / 8))
  }

  /** Throws EtcdFileError. A file is walked once; open it again for another walk. */
  static open(source: ByteSource): EtcdFile {
    const metas = findMetas(source)
    const meta = metas.reduce<Meta | undefined>(
      (best, one) => (best === undefined || one.txid > best.txid ? one : best),
      undefined,
    )
    if (meta === undefined) throw new EtcdFileError('NOT_A_DATABASE', 'invalid database', 0)
    if (!pageSizesBytes.includes(meta.pageSizeBytes)) {
      const text = `pages of ${meta.pageSizeBytes} bytes are not known`
      throw new EtcdFileError('UNSUPPORTED', text, 0)
    }
    if (meta.pageCount * meta.pageSizeBytes > source.sizeBytes) {
      const text = `the file has ${source.sizeBytes} bytes, its ${meta.pageCount} pages take ${meta.pageCount * meta.pageSizeBytes}`
      throw new EtcdFileError('TRUNCATED', text, source.sizeBytes)
    }
    const file = new EtcdFile(source, meta)
    file.#use(0, 2, 0)
    return file
  }

  get sizeBytes(): number {
    return this.meta.pageCount * this.meta.pageSizeBytes
  }

  /** In order of their names. The rows of each are read before the next one is asked for, or not at all. */
  *buckets(): Iterable<FileBucket> {
    for (const { key, value, isBucket, offset } of this.#tree(this.meta.rootPage)) {
      if (!isBucket) throw damaged('a row stands outside of the buckets', offset)
      yield { name: key, rows: () => this.#bucketRows(value, offset) }
    }
  }

  /** After a walk over all rows: every page that it did not come by must be free. Throws DAMAGED. */
  checkFreePages(): void {
    const { freelistPage, pageCount, pageSizeBytes } = this.meta
    if (freelistPage === noFreelist) return
    const page = this.#page(Number(freelistPage), pageKind.freelist)
    const { view, bytes, offset } = page
    let at = pageHeaderSizeBytes
    let { count } = page.header
    if (count === countElsewhere) {
      count = readPageId(view, at)
      at += 8
    }
    if (at + count * 8 > bytes.length) throw damaged('the list of free pages is too long', offset)
    for (let i = 0; i < count; i++) this.#use(readPageId(view, at + i * 8), 1, offset)
    for (let id = 0; id < pageCount; id++) {
      if (!this.#isUsed(id)) throw damaged(`page ${id}: unreachable unfreed`, id * pageSizeBytes)
    }
  }

  *#bucketRows(
    header: Uint8Array,
    offset: number,
  ): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const row of this.#bucket(header, offset)) {
      if (row.isBucket) throw damaged('a bucket stands in a bucket', row.offset)
      yield [row.key, row.value]
    }
  }

  #bucket(bytes: Uint8Array, offset: number): Iterable<Row> {
    if (bytes.length < bucketHeaderSizeBytes) throw damaged('a bucket has no header', offset)
    const root = readPageId(viewOf(bytes), 0)
    if (root !== 0) return this.#tree(root)
    const inline = bytes.subarray(bucketHeaderSizeBytes)
    if (inline.length < pageHeaderSizeBytes) throw damaged('a bucket has no page', offset)
    const view = viewOf(inline)
    const header = readPageHeader(view)
    if (header.kind !== pageKind.leaf) throw damaged('an inline bucket has no leaf page', offset)
    return inOrder(leafRows({ header, bytes: inline, view, offset }))
  }

  #tree(root: number): Iterable<Row> {
    return inOrder(this.#walk(root, everything, 0))
  }

  *#walk(id: number, bounds: Bounds, depth: number): Iterable<Row> {
    const page = this.#page(id, pageKind.leaf | pageKind.branch)
    if (depth > depthMax) throw damaged('the tree is too deep', page.offset)
    if (page.header.kind === pageKind.leaf) {
      for (const row of leafRows(page)) {
        mustLieIn(row.key, bounds, page)
        yield row
      }
      return
    }
    const children = branchChildren(page)
    for (const [i, child] of children.entries()) {
      mustLieIn(child.key, bounds, page)
      const to = children[i + 1]?.key ?? bounds.to
      yield* this.#walk(child.page, { from: child.key, to }, depth + 1)
    }
  }

  /** A page with those after it that belong to it, each of which is used now. */
  #page(id: number, kinds: number): Page {
    const { pageSizeBytes, pageCount } = this.meta
    const offset = id * pageSizeBytes
    if (id >= pageCount) throw damaged(`page ${id} lies behind the end`, this.sizeBytes)
    const first = this.#source.read(offset, pageSizeBytes)
    const header = readPageHeader(viewOf(first))
    const { kind, overflow } = header
    const isKnown = kind === pageKind.leaf || kind === pageKind.branch || kind === pageKind.freelist
    if (!isKnown || (kind & kinds) === 0) throw damaged(`page ${id} has kind ${kind}`, offset)
    if (header.id !== id) throw damaged(`page ${id} says that it is ${header.id}`, offset)
    this.#use(id, overflow + 1, offset)
    const sizeBytes = (overflow + 1) * pageSizeBytes
    const bytes = overflow === 0 ? first : this.#source.read(offset, sizeBytes)
    return { header, bytes, view: viewOf(bytes), offset }
  }

  #use(id: number, count: number, offset: number): void {
    if (id + count > this.meta.pageCount) throw damaged(`page ${id} goes on behind the end`, offset)
    for (let each = id; each < id + count; each++) {
      if (this.#isUsed(each)) throw damaged(`page ${each}: multiple references`, offset)
      this.#used[each >>> 3] = (this.#used[each >>> 3] ?? 0) | (1 << (each & 7))
    }
  }

  #isUsed(id: number): boolean {
    return ((this.#used[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0
  }
}

function findMetas(source: ByteSource): readonly Meta[] {
  const at = (offset: number): Meta | undefined => {
    if (offset >= source.sizeBytes) return undefined
    return decodeMetaPage(source.read(offset, Math.min(headSizeBytes, source.sizeBytes - offset)))
  }
  const first = at(0)
  // Without the first one nothing says where the second one is.
  const sizes = first === undefined ? pageSizesBytes : [first.pageSizeBytes]
  const seconds = sizes.map((size) => {
    const meta = at(size)
    return meta?.pageSizeBytes === size ? meta : undefined
  })
  return [first, ...seconds].filter((meta) => meta !== undefined)
}

interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly isBucket: boolean
  readonly offset: number
}

function* leafRows(page: Page): Iterable<Row> {
  const { view, bytes, offset } = page
  const content = new PageContent(page)
  for (let i = 0; i < page.header.count; i++) {
    const at = pageHeaderSizeBytes + i * elementSizeBytes
    const keySize = view.getUint32(at + 8, true)
    const start = at + view.getUint32(at + 4, true)
    const valueStart = start + keySize
    const end = valueStart + view.getUint32(at + 12, true)
    content.take(start, end)
    const key = bytes.subarray(start, valueStart)
    const isBucket = (view.getUint32(at, true) & bucketFlag) !== 0
    yield { key, value: bytes.subarray(valueStart, end), isBucket, offset: offset + at }
  }
}

function branchChildren(page: Page): readonly { key: Uint8Array; page: number }[] {
  const { view, bytes, offset, header } = page
  if (header.count === 0) throw damaged('a branch page is empty', offset)
  const content = new PageContent(page)
  const children: { key: Uint8Array; page: number }[] = []
  for (let i = 0; i < header.count; i++) {
    const at = pageHeaderSizeBytes + i * elementSizeBytes
    const start = at + view.getUint32(at, true)
    const end = start + view.getUint32(at + 4, true)
    content.take(start, end)
    children.push({ key: bytes.subarray(start, end), page: readPageId(view, at + 8) })
  }
  return children
}

/** Checks that elements lie within their page, and do not all claim the same bytes. */
class PageContent {
  readonly #page: Page
  readonly #from: number
  #left: number

  constructor(page: Page) {
    this.#page = page
    this.#from = pageHeaderSizeBytes + page.header.count * elementSizeBytes
    this.#left = page.bytes.length - this.#from
    if (this.#left < 0) throw damaged('a page has too many elements', page.offset)
  }

  take(start: number, end: number): void {
    this.#left -= end - start
    if (start < this.#from || end > this.#page.bytes.length || this.#left < 0) {
      throw damaged('an element lies outside of its page', this.#page.offset)
    }
  }
}

function* inOrder(rows: Iterable<Row>): Iterable<Row> {
  let last: Uint8Array | undefined
  for (const row of rows) {
    if (row.key.length === 0) throw damaged('a key is empty', row.offset)
    if (last !== undefined && Buffer.compare(last, row.key) >= 0) {
      throw damaged('the keys of a bucket do not ascend', row.offset)
    }
    last = row.key
    yield row
  }
}

function mustLieIn(key: Uint8Array, { from, to }: Bounds, { offset }: Page): void {
  const isBefore = from !== undefined && Buffer.compare(key, from) < 0
  const isBehind = to !== undefined && Buffer.compare(key, to) >= 0
  if (isBefore || isBehind) throw damaged('a page holds keys that belong elsewhere', offset)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function damaged(text: string, offset: number): EtcdFileError {
  return new EtcdFileError('DAMAGED', text, offset)
}
