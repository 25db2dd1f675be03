// The B+ tree of one bucket, built from rows that come in key order: a page is finished when the next row does not fit, and stands in its
// parent from then on. Holds one unfinished page per level, whatever the size of the bucket.
import { assert } from '@balsa/raft/assert'
import { EtcdFileError } from './etcd-file-error.ts'
import {
  bucketFlag,
  bucketHeaderSizeBytes,
  elementSizeBytes,
  pageHeaderSizeBytes,
  pageKind,
  pageSizeBytes,
  writePageHeader,
} from './page-format.ts'

export const keySizeBytesMax = 32_768
export const valueSizeBytesMax: number = 2 ** 31 - 2
/** A bucket of one page that is not larger than this stands in its parent's page. */
const inlineSizeBytesMax = pageSizeBytes / 4
/** More would make a tree without branches. */
const branchElementsMin = 2
const noBytes: Uint8Array = new Uint8Array(0)

export interface Element {
  readonly key: Uint8Array
  /** Empty in a branch. */
  readonly value: Uint8Array
  /** Whether the value is a bucket; false in a branch. */
  readonly isBucket: boolean
  /** Of a branch: the page with this and the following keys. */
  readonly child: number
}

export interface FinishedPage {
  readonly kind: number
  readonly elements: readonly Element[]
  /** Of header, elements, keys and values. */
  readonly sizeBytes: number
}

/** Takes finished pages and says which number each has. */
export type PageSink = (page: FinishedPage) => number

export class BucketTree {
  readonly #sink: PageSink
  /** From the leaves up. */
  readonly #levels: Level[] = [new Level(pageKind.leaf)]
  #lastKey: Uint8Array | undefined

  constructor(sink: PageSink) {
    this.#sink = sink
  }

  /** Keys ascend. Throws TOO_LARGE for what the format cannot hold. */
  add(key: Uint8Array, value: Uint8Array, isBucket = false): void {
    if (key.length === 0 || key.length > keySizeBytesMax || value.length > valueSizeBytesMax) {
      const text = `A row with a key of ${key.length} bytes and a value of ${value.length} does not fit into a file of etcd`
      throw new EtcdFileError('TOO_LARGE', text)
    }
    const last = this.#lastKey
    assert(last === undefined || Buffer.compare(last, key) < 0, 'the keys of a bucket ascend')
    this.#lastKey = key
    this.#push(0, { key, value, isBucket, child: 0 })
  }

  /** Ends the tree; returns the number of its root page. */
  finish(): number {
    for (let depth = 0; ; depth++) {
      const level = this.#levels[depth]
      assert(level !== undefined, 'a tree has a root')
      if (depth === this.#levels.length - 1) return this.#sink(level.take())
      this.#pass(depth, level)
    }
  }

  /** Ends the tree; returns the bytes that stand for the bucket in its parent. */
  finishBucket(): Uint8Array {
    const [leaves, ...branches] = this.#levels
    assert(leaves !== undefined, 'a tree has leaves')
    if (branches.length > 0 || leaves.sizeBytes > inlineSizeBytesMax) {
      return bucketHeader(this.finish(), noBytes)
    }
    const page = leaves.take()
    return bucketHeader(0, encodePage(page, { id: 0, sizeBytes: page.sizeBytes }))
  }

  #push(depth: number, element: Element): void {
    const known = this.#levels[depth]
    const level = known ?? new Level(pageKind.branch)
    if (known === undefined) this.#levels.push(level)
    if (!level.hasRoomFor(element)) this.#pass(depth, level)
    level.add(element)
  }

  #pass(depth: number, level: Level): void {
    const page = level.take()
    const key = page.elements[0]?.key
    assert(key !== undefined, 'a page that has a parent is not empty')
    const child = this.#sink(page)
    this.#push(depth + 1, { key, value: noBytes, isBucket: false, child })
  }
}

class Level {
  readonly #kind: number
  #elements: Element[] = []
  #sizeBytes = pageHeaderSizeBytes

  constructor(kind: number) {
    this.#kind = kind
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  hasRoomFor(element: Element): boolean {
    const countMin = this.#kind === pageKind.branch ? branchElementsMin : 1
    if (this.#elements.length < countMin) return true
    return this.#sizeBytes + sizeOf(element) <= pageSizeBytes
  }

  add(element: Element): void {
    this.#elements.push(element)
    this.#sizeBytes += sizeOf(element)
  }

  take(): FinishedPage {
    const page = { kind: this.#kind, elements: this.#elements, sizeBytes: this.#sizeBytes }
    this.#elements = []
    this.#sizeBytes = pageHeaderSizeBytes
    return page
  }
}

/** `place.sizeBytes` is what the page takes in the file; the rest of it is zero. */
export function encodePage(
  page: FinishedPage,
  place: { readonly id: number; readonly sizeBytes: number },
): Uint8Array {
  const bytes = new Uint8Array(place.sizeBytes)
  const view = new DataView(bytes.buffer)
  const { kind, elements } = page
  const overflow = Math.max(0, Math.ceil(place.sizeBytes / pageSizeBytes) - 1)
  writePageHeader(view, { id: place.id, kind, count: elements.length, overflow })
  let at = pageHeaderSizeBytes
  let content = at + elements.length * elementSizeBytes
  for (const { key, value, isBucket, child } of elements) {
    if (kind === pageKind.branch) {
      view.setUint32(at, content - at, true)
      view.setUint32(at + 4, key.length, true)
      view.setBigUint64(at + 8, BigInt(child), true)
    } else {
      view.setUint32(at, isBucket ? bucketFlag : 0, true)
      view.setUint32(at + 4, content - at, true)
      view.setUint32(at + 8, key.length, true)
      view.setUint32(at + 12, value.length, true)
    }
    bytes.set(key, content)
    bytes.set(value, content + key.length)
    content += key.length + value.length
    at += elementSizeBytes
  }
  return bytes
}

function bucketHeader(root: number, inlinePage: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(bucketHeaderSizeBytes + inlinePage.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(root), true)
  bytes.set(inlinePage, bucketHeaderSizeBytes)
  return bytes
}

function sizeOf({ key, value }: Element): number {
  return elementSizeBytes + key.length + value.length
}
