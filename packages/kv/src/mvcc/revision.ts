// Row keys of the history table: 'k', then etcd's revision key (8-byte big-endian main, '_', 8-byte big-endian sub, 't' for a
// tombstone). Rows in key order are the history in order. See docs/backend-format.md.
import { assert } from '@balsa/raft/assert'

/** First character of every row of the history table. */
export const historyTable = 'k'
const high = 2 ** 32
const rowKeyLength = 18
const historyCode = historyTable.charCodeAt(0)
const underscoreCode = '_'.charCodeAt(0)

/** The row of one change: `main` is the revision, `sub` the change's place in it. */
export function rowKey(main: number, sub: number, tombstone = false): string {
  assert(main > 0 && sub >= 0, 'a row has a positive revision and a sub-revision')
  const top = Math.floor(main / high)
  const low = main >>> 0
  const subTop = Math.floor(sub / high)
  const subLow = sub >>> 0
  // In one piece: a text put together of several is copied when it is hashed.
  const text = String.fromCharCode(
    historyCode,
    top >>> 24,
    (top >>> 16) & 255,
    (top >>> 8) & 255,
    top & 255,
    low >>> 24,
    (low >>> 16) & 255,
    (low >>> 8) & 255,
    low & 255,
    underscoreCode,
    subTop >>> 24,
    (subTop >>> 16) & 255,
    (subTop >>> 8) & 255,
    subTop & 255,
    subLow >>> 24,
    (subLow >>> 16) & 255,
    (subLow >>> 8) & 255,
    subLow & 255,
  )
  return tombstone ? text + 't' : text
}

/** The prefix of all rows of one revision; rows of later revisions sort after it. */
export function mainPrefix(main: number): string {
  return historyTable + fixed64(main)
}

/** Parses a row key; undefined if it is none. */
export function parseRowKey(
  key: string,
): { main: number; sub: number; tombstone: boolean } | undefined {
  if (key.length !== rowKeyLength && key.length !== rowKeyLength + 1) return undefined
  if (key[0] !== historyTable || key[9] !== '_') return undefined
  const tombstone = key.length === rowKeyLength + 1
  if (tombstone && key[rowKeyLength] !== 't') return undefined
  return { main: numberAt(key, 1), sub: numberAt(key, 10), tombstone }
}

/** A number as 8 big-endian bytes in text form. */
export function fixed64(value: number): string {
  const top = Math.floor(value / high)
  const low = value >>> 0
  return String.fromCharCode(
    top >>> 24,
    (top >>> 16) & 255,
    (top >>> 8) & 255,
    top & 255,
    low >>> 24,
    (low >>> 16) & 255,
    (low >>> 8) & 255,
    low & 255,
  )
}

/** Reads what fixed64 wrote at `offset`. */
export function numberAt(text: string, offset: number): number {
  let value = 0
  for (let i = offset; i < offset + 8; i++) value = value * 256 + text.charCodeAt(i)
  return value
}
