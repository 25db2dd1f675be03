// A lease's row: 'l' and the id as 8 big-endian bytes; the value is the granted TTL in seconds, 8 big-endian bytes, and after a checkpoint
// what was left of it then, 8 more.
import { KvError } from '../errors.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import { fixed64, numberAt } from '../mvcc/revision.ts'

/** First character of every row of the lease table. */
export const leaseTable = 'l'

export function leaseRowKey(id: bigint): string {
  const unsigned = BigInt.asUintN(64, id)
  const high = fixed64(Number(unsigned >> 32n)).slice(4)
  return leaseTable + high + fixed64(Number(unsigned & 0xffffffffn)).slice(4)
}

export interface LeaseRow {
  readonly id: bigint
  readonly ttlSeconds: number
  /** At the last checkpoint; 0: there was none since it was renewed. */
  readonly remainingSeconds: number
}

export function encodeLeaseRow(ttlSeconds: number, remainingSeconds: number = 0): Uint8Array {
  const rest = remainingSeconds > 0 ? fixed64(remainingSeconds) : ''
  return keyBytes(fixed64(ttlSeconds) + rest)
}

export function parseLeaseRow(key: string, value: Uint8Array): LeaseRow {
  const isWhole = value.length === 8 || value.length === 16
  if (key.length !== 9 || key[0] !== leaseTable || !isWhole) {
    throw new KvError('CORRUPT', { message: 'A lease row is malformed' })
  }
  let id = 0n
  for (let i = 1; i < 9; i++) id = (id << 8n) | BigInt(key.charCodeAt(i))
  const text = keyText(value)
  return {
    id: BigInt.asIntN(64, id),
    ttlSeconds: numberAt(text, 0),
    remainingSeconds: value.length === 16 ? numberAt(text, 8) : 0,
  }
}
