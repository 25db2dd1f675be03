// Lays pinned overlay rows over rows of the storage, in key order.
import { keyText } from '../mvcc/key-text.ts'
import type { Row } from './backend.ts'
import { rowsBatchMax } from './backend.ts'
import { deletedRow } from './overlay.ts'

/** `overlay` ascends; a deletedRow in it hides the stored row. */
export async function* mergeRows(
  stored: AsyncIterable<readonly Row[]>,
  overlay: readonly (readonly [key: string, value: Uint8Array])[],
): AsyncIterable<readonly Row[]> {
  let at = 0
  for await (const batch of stored) {
    if (at === overlay.length) {
      yield batch
      continue
    }
    const merged: Row[] = []
    for (const row of batch) {
      const key = keyText(row[0])
      let isHidden = false
      for (let next = overlay[at]; next !== undefined && next[0] <= key; next = overlay[++at]) {
        if (next[1] !== deletedRow) merged.push([Buffer.from(next[0], 'latin1'), next[1]])
        isHidden ||= next[0] === key
      }
      if (!isHidden) merged.push(row)
    }
    yield merged
  }
  for (; at < overlay.length; at += rowsBatchMax) {
    const rest: Row[] = []
    for (const [key, value] of overlay.slice(at, at + rowsBatchMax)) {
      if (value !== deletedRow) rest.push([Buffer.from(key, 'latin1'), value])
    }
    yield rest
  }
}
