// CRC-32 with the Castagnoli polynomial, eight bytes a step (slicing by 8). HashKV is defined with it.

const polynomial = 0x82f63b78
const tables = makeTables()

/** Continues a checksum over `bytes`; start with 0. The result is an unsigned 32-bit number. */
export function crc32c(crc: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let c = ~crc
  let i = 0
  for (const end = bytes.length - 7; i < end; i += 8) {
    c ^=
      at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24)
    c =
      at(t7, c & 255) ^
      at(t6, (c >>> 8) & 255) ^
      at(t5, (c >>> 16) & 255) ^
      at(t4, c >>> 24) ^
      at(t3, at(bytes, i + 4)) ^
      at(t2, at(bytes, i + 5)) ^
      at(t1, at(bytes, i + 6)) ^
      at(t0, at(bytes, i + 7))
  }
  for (; i < bytes.length; i++) c = at(t0, (c ^ at(bytes, i)) & 255) ^ (c >>> 8)
  return ~c >>> 0
}

function at(array: Uint8Array | Int32Array, index: number): number {
  return array[index] ?? 0
}

type Table = Int32Array
function makeTables(): readonly [Table, Table, Table, Table, Table, Table, Table, Table] {
  const first = new Int32Array(256)
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1
    first[n] = c
  }
  const next = (before: Table): Table =>
    before.map((value) => at(first, value & 255) ^ (value >>> 8))
  const t1 = next(first)
  const t2 = next(t1)
  const t3 = next(t2)
  const t4 = next(t3)
  const t5 = next(t4)
  const t6 = next(t5)
  return [first, t1, t2, t3, t4, t5, t6, next(t6)]
}
