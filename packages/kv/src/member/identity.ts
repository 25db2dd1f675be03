// Ids as etcd derives them, so that a cluster started with the same flags has the same ids.
import { createHash } from 'node:crypto'

/** First 8 bytes of SHA-1 over the sorted peer URLs and the cluster's token. */
export function memberIdOf(peerUrls: readonly string[], token: string): bigint {
  return firstEightBytes([...peerUrls].sort().join('') + token)
}

/** First 8 bytes of SHA-1 over the sorted member ids. */
export function clusterIdOf(memberIds: readonly bigint[]): bigint {
  const sorted = [...memberIds].sort((a, b) => (a < b ? -1 : 1))
  const bytes = Buffer.alloc(sorted.length * 8)
  for (const [i, id] of sorted.entries()) bytes.writeBigUInt64BE(id, i * 8)
  return firstEightBytes(bytes)
}

/** 16 hex digits: the form of ids in file names and in raft. */
export function idText(id: bigint): string {
  return id.toString(16).padStart(16, '0')
}

export function parseIdText(text: string): bigint {
  return BigInt(`0x${text}`)
}

function firstEightBytes(input: string | Buffer): bigint {
  return createHash('sha1').update(input).digest().readBigUInt64BE(0)
}
