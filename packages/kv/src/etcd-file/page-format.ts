// The pages of a bbolt file: 4 KiB each, numbered from 0, integers little-endian. Pages 0 and 1 are copies of the meta page; a leaf or
// branch page is a header, an element per key, and then the keys and values. A page that does not suffice goes on in the pages after it.
import { EtcdFileError } from './etcd-file-error.ts'
import { fnv64a } from './fnv64a.ts'

export const pageSizeBytes = 4096
export const pageHeaderSizeBytes = 16
/** Of a leaf and of a branch page alike. */
export const elementSizeBytes = 16
/** Root page and sequence, in front of a bucket's inline page if it has one. */
export const bucketHeaderSizeBytes = 16
export const pageKind = { branch: 1, leaf: 2, meta: 4, freelist: 16 } as const
/** Of a leaf element whose value is a bucket. */
export const bucketFlag = 1
/** The freelist is not written down: pages that nothing leads to are free. */
export const noFreelist = 0xffff_ffff_ffff_ffffn

const magic = 0xed0cdaed
const version = 2
const checksumOffset = 56
const metaSizeBytes = 64

/** The first page of every file leads to all others. */
export interface Meta {
  readonly pageSizeBytes: number
  readonly rootPage: number
  readonly freelistPage: bigint
  /** Pages from this one on do not exist. */
  readonly pageCount: number
  readonly txid: bigint
}

export interface PageHeader {
  readonly id: number
  /** One of `pageKind`. */
  readonly kind: number
  readonly count: number
  /** How many pages it goes on for. */
  readonly overflow: number
}

export function writePageHeader(page: DataView, header: PageHeader): void {
  page.setBigUint64(0, BigInt(header.id), true)
  page.setUint16(8, header.kind, true)
  page.setUint16(10, header.count, true)
  page.setUint32(12, header.overflow, true)
}

export function readPageHeader(page: DataView): PageHeader {
  return {
    id: readPageId(page, 0),
    kind: page.getUint16(8, true),
    count: page.getUint16(10, true),
    overflow: page.getUint32(12, true),
  }
}

/** A number beyond 2^53 is no page of any file, whatever it is rounded to. */
export function readPageId(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true))
}

/** A whole meta page, as page 0 or 1. */
export function encodeMetaPage(id: number, meta: Meta): Uint8Array {
  const bytes = new Uint8Array(meta.pageSizeBytes)
  const page = new DataView(bytes.buffer)
  writePageHeader(page, { id, kind: pageKind.meta, count: 0, overflow: 0 })
  const view = new DataView(bytes.buffer, pageHeaderSizeBytes)
  view.setUint32(0, magic, true)
  view.setUint32(4, version, true)
  view.setUint32(8, meta.pageSizeBytes, true)
  view.setBigUint64(16, BigInt(meta.rootPage), true)
  view.setBigUint64(32, meta.freelistPage, true)
  view.setBigUint64(40, BigInt(meta.pageCount), true)
  view.setBigUint64(48, meta.txid, true)
  const covered = bytes.subarray(pageHeaderSizeBytes, pageHeaderSizeBytes + checksumOffset)
  view.setBigUint64(checksumOffset, fnv64a(covered), true)
  return bytes
}

/** Undefined if the page is no meta page, or not a whole one. Throws UNSUPPORTED for another version of the format. */
export function decodeMetaPage(page: Uint8Array): Meta | undefined {
  if (page.length < pageHeaderSizeBytes + metaSizeBytes) return undefined
  const view = new DataView(page.buffer, page.byteOffset + pageHeaderSizeBytes, metaSizeBytes)
  if (view.getUint32(0, true) !== magic) return undefined
  const covered = page.subarray(pageHeaderSizeBytes, pageHeaderSizeBytes + checksumOffset)
  if (view.getBigUint64(checksumOffset, true) !== fnv64a(covered)) return undefined
  const found = view.getUint32(4, true)
  if (found !== version) {
    throw new EtcdFileError('UNSUPPORTED', `version mismatch: the file has ${found}`, 0)
  }
  return {
    pageSizeBytes: view.getUint32(8, true),
    rootPage: readPageId(view, 16),
    freelistPage: view.getBigUint64(32, true),
    pageCount: readPageId(view, 40),
    txid: view.getBigUint64(48, true),
  }
}
