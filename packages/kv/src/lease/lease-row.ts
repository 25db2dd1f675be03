// A lease's row: 'l' and the id as 8 big-endian bytes; the value is the granted TTL in seconds, 8 big-endian bytes.
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

export function encodeLeaseRow(ttlSeconds: number): Uint8Array {
  return keyBytes(fixed64(ttlSeconds))
}

export function parseLeaseRow(key: string, value: Uint8Array): { id: bigint; ttlSeconds: number } {
  if (key.length !== 9 || key[0] !== leaseTable || value.length !== 8) {
    throw new KvError('CORRUPT', { message: 'A lease row is malformed' })
  }
  let id = 0n
  for (let i = 1; i < 9; i++) id = (id << 8n) | BigInt(key.charCodeAt(i))
  return { id: BigInt.asIntN(64, id), ttlSeconds: numberAt(keyText(value), 0) }
}
