// FNV-1a with 64 bits: the checksum of a bbolt meta page.

const offsetBasis = 0xcbf29ce484222325n
const prime = 0x100000001b3n

/** For some dozens of bytes: bigints are slow. */
export function fnv64a(bytes: Uint8Array): bigint {
  let hash = offsetBasis
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * prime)
  return hash
}
