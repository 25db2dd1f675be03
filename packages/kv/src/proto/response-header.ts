// ResponseHeader is part of every reply. Cluster and member id do not change between replies, so their bytes are kept.
import type { ResponseHeader } from './messages.ts'
import { WireWriter } from './wire/wire-writer.ts'
import { WireReader } from './wire/wire-reader.ts'

const idWriter = new WireWriter()
let clusterId = 0n
let memberId = 0n
let idBytes: Uint8Array = new Uint8Array(0)

/** As field 1 of a response. */
export function writeHeader(writer: WireWriter, header: ResponseHeader): void {
  if (header.clusterId !== clusterId || header.memberId !== memberId) {
    clusterId = header.clusterId
    memberId = header.memberId
    idWriter.begin()
    idWriter.bigInt64(1, clusterId)
    idWriter.bigInt64(2, memberId)
    idBytes = idWriter.finish()
  }
  const mark = writer.open(1)
  writer.raw(idBytes)
  writer.int64(3, header.revision)
  writer.int64(4, header.raftTerm)
  writer.close(mark)
}

export const emptyHeader: ResponseHeader = {
  clusterId: 0n,
  memberId: 0n,
  revision: 0,
  raftTerm: 0,
}

export function readHeader(reader: WireReader): ResponseHeader {
  const header = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 }
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x08) header.clusterId = reader.bigUint64()
    else if (tag === 0x10) header.memberId = reader.bigUint64()
    else if (tag === 0x18) header.revision = reader.int64()
    else if (tag === 0x20) header.raftTerm = reader.uint64()
    else reader.unknown(tag, 4)
  }
  return header
}
