// Short ways to make requests and a store over a plain map, for tests.
import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest } from '../../proto/messages.ts'
import { HashKv } from '../hash-kv.ts'
import { keyRange } from '../key-range.ts'
import { keyBytes, keyText } from '../key-text.ts'
import { MvccStore } from '../store.ts'
import type { LeaseBook, Tables } from '../tables.ts'

export const none: Uint8Array = new Uint8Array(0)
export const bytes = (text: string): Uint8Array => keyBytes(text)
export const text = (value: Uint8Array): string => keyText(value)

export function putRequest(key: string, value: string, more: Partial<PutRequest> = {}): PutRequest {
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false }
  return { key: bytes(key), value: bytes(value), lease: 0n, ...flags, ...more }
}

export function deleteRequest(key: string, end = '', prevKv = false): DeleteRangeRequest {
  return { key: bytes(key), rangeEnd: bytes(end), prevKv }
}

export function rangeRequest(
  key: string,
  end = '',
  more: Partial<RangeRequest> = {},
): RangeRequest {
  return {
    key: bytes(key),
    rangeEnd: bytes(end),
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...more,
  }
}

export function compareRequest(key: string, more: Partial<Compare> = {}): Compare {
  const operand = { number: 0, value: none, lease: 0n }
  return { result: 0, target: 0, key: bytes(key), rangeEnd: none, ...operand, ...more }
}

/** Rows in a map. */
export class MapTables implements Tables {
  readonly rows = new Map<string, Uint8Array>()

  get(key: string): Uint8Array | undefined {
    return this.rows.get(key)
  }
  put(key: string, value: Uint8Array): void {
    this.rows.set(key, value)
  }
  delete(key: string): void {
    this.rows.delete(key)
  }
  sorted(): [string, Uint8Array][] {
    return [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

/** Leases without time: those in `known` exist. */
export class PlainLeases implements LeaseBook {
  readonly known = new Set<bigint>()
  readonly byKey = new Map<string, bigint>()

  exists(id: bigint): boolean {
    return this.known.has(id)
  }
  leaseOf(key: string): bigint {
    return this.byKey.get(key) ?? 0n
  }
  attach(id: bigint, key: string): void {
    this.byKey.set(key, id)
  }
  detach(key: string): void {
    this.byKey.delete(key)
  }
}

export interface StoreFixture {
  readonly tables: MapTables
  readonly leases: PlainLeases
  readonly store: MvccStore
}

export function openStore(): StoreFixture {
  const tables = new MapTables()
  const leases = new PlainLeases()
  return { tables, leases, store: new MvccStore(tables, leases) }
}

export function put(store: MvccStore, key: string, value: string): void {
  store.beginWrite()
  store.put(putRequest(key, value))
  store.endWrite()
}

export function remove(store: MvccStore, key: string, end = ''): number {
  store.beginWrite()
  const { deleted } = store.delete(keyRange(bytes(key), bytes(end)), false)
  store.endWrite()
  return deleted
}

export function hashOf({ store, tables }: StoreFixture, revision: number = store.revision): number {
  const hash = new HashKv(store.index, revision, store.compactRevision)
  for (const [row, value] of tables.sorted()) if (row[0] === 'k') hash.add(bytes(row), value)
  return hash.value
}
