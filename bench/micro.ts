// Where a put's time goes, one step at a time: codec, MVCC, a WAL append made durable, and the native wire's frames.
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bench } from 'tinybench'
import { decodeClientFrame, encodeFrame } from '../packages/kv/src/api/native/frame-codec.ts'
import { putRequestOf } from '../packages/kv/src/client/convert.ts'
import {
  decodeKeyValue,
  decodePutRequest,
  encodeKeyValue,
  encodePutRequest,
  encodePutResponse,
} from '../packages/kv/src/proto/index.ts'
import { openMember } from '../packages/kv/src/index.ts'

const pair = {
  key: Buffer.from('bench/put/0000000001'),
  value: Buffer.alloc(256, 'x'),
  createRevision: 1_000_000,
  modRevision: 1_000_000,
  version: 1,
  lease: 0n,
}
const header = { clusterId: 2n ** 63n, memberId: 2n ** 62n, revision: 1_000_000, raftTerm: 2 }

export async function micro(): Promise<void> {
  const bench = new Bench({ time: 300, warmupTime: 100 })
  const request = putRequestOf(pair.key, pair.value)
  const body = encodePutRequest(request)
  const stored = encodeKeyValue(pair)
  const frame = encodeFrame([[1, 'KV/Put', body]])
  bench.add('encode a PutRequest of 256 B', () => encodePutRequest(request))
  bench.add('decode a PutRequest', () => decodePutRequest(body))
  bench.add('encode a PutResponse', () => encodePutResponse({ header, prevKv: undefined }))
  bench.add('encode a KeyValue', () => encodeKeyValue(pair))
  bench.add('decode a KeyValue', () => decodeKeyValue(stored))
  bench.add('encode a native frame of 1 put', () => encodeFrame([[1, 'KV/Put', body]]))
  bench.add('check and decode a native frame of 1 put', () => decodeClientFrame(frame))
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-micro-'))
  try {
    await using memory = await openMember({ memory: true })
    await using disk = await openMember({ dataDir: join(directory, 'member') })
    let index = 0
    bench.add('put into a member in memory, 1 in flight', async () => {
      await memory.kv.put(`key ${index++}`, pair.value)
    })
    bench.add('put into a member on disk, 1 in flight', async () => {
      await disk.kv.put(`key ${index++}`, pair.value)
    })
    const file = await open(join(directory, 'append'), 'w')
    bench.add('bare write and fdatasync of 400 B', async () => {
      await file.write(Buffer.alloc(400), 0, 400, 0)
      await file.datasync()
    })
    await bench.run()
    await file.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  console.table(bench.table())
}
