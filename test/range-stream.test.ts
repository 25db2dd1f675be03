// RangeStream over the usual gRPC library: the chunks merge to what Range answers, whatever is written meanwhile.
import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import type { BalsaMember } from './balsa-member.ts'

interface Range {
  readonly header: object | null
  readonly kvs: readonly { readonly key: Buffer; readonly value: Buffer }[]
  readonly more: boolean
  readonly count: string
}
interface KvClient extends grpc.Client {
  Put(request: object, done: (error: Error | null) => void): void
  Compact(request: object, done: (error: Error | null) => void): void
  Range(request: object, done: (error: Error | null, reply: Range) => void): void
  RangeStream(request: object): grpc.ClientReadableStream<{ range_response: Range }>
}

let balsa: BalsaMember
let kv: KvClient
beforeAll(async () => {
  balsa = await openBalsaMember()
  const folder = fileURLToPath(new URL('../packages/kv/proto/', import.meta.url))
  const options = { includeDirs: [folder], keepCase: true, longs: String, defaults: true }
  const { etcdserverpb } = grpc.loadPackageDefinition(
    loadSync('rpc.proto', options),
  ) as unknown as {
    etcdserverpb: { KV: grpc.ServiceClientConstructor }
  }
  const host = balsa.url.slice('http://'.length)
  kv = new etcdserverpb.KV(host, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  }) as unknown as KvClient
  for (let i = 0; i < 400; i++) await put(`key/${String(i).padStart(4, '0')}`, 'v'.repeat(i * 50))
})
afterAll(async () => {
  kv.close()
  await balsa[Symbol.asyncDispose]()
})

const bytes = (text: string): Buffer => Buffer.from(text)
const put = (key: string, value: string): Promise<void> =>
  new Promise((resolve, reject) => {
    kv.Put({ key: bytes(key), value: bytes(value) }, (error) => (error ? reject(error) : resolve()))
  })
const range = (request: object): Promise<Range> =>
  new Promise((resolve, reject) => {
    kv.Range(request, (error, reply) => (error ? reject(error) : resolve(reply)))
  })

async function stream(
  request: object,
  onChunk: () => Promise<void> | void = () => undefined,
): Promise<Range[]> {
  const chunks: Range[] = []
  for await (const { range_response } of kv.RangeStream(request)) {
    chunks.push(range_response as Range)
    await onChunk()
  }
  return chunks
}

function merge(chunks: readonly Range[]): Range {
  const last = chunks.at(-1)
  if (last === undefined) throw new Error('a stream has at least one chunk')
  return { ...last, kvs: chunks.flatMap((chunk) => chunk.kvs) }
}

/** Compared as text: a matcher would look at megabytes byte by byte. */
function textOf({ header, kvs, more, count }: Range): string {
  const pairs = kvs.map(({ key, value, ...rest }) => [key.toString(), value.toString(), rest])
  return JSON.stringify({ header, pairs, more, count })
}

const all = { key: bytes('key/'), range_end: bytes('key0') }
test.each([
  ['everything', all, 3],
  ['a limit', { ...all, limit: 57 }, 2],
  ['a limit of exactly all', { ...all, limit: 400 }, 3],
  ['keys only', { ...all, keys_only: true }, 2],
  ['a count', { ...all, count_only: true }, 1],
  ['one key', { key: bytes('key/0007') }, 1],
  ['nothing', { key: bytes('none') }, 1],
  ['an old revision', { ...all, revision: 100 }, 2],
  ['keys in the order they come in', { ...all, sort_order: 'ASCEND' }, 3],
])('%s comes as Range answers it', async (_name, request, chunksMin) => {
  const chunks = await stream(request)
  expect(textOf(merge(chunks)) === textOf(await range(request))).toBe(true)
  expect(chunks.length).toBeGreaterThanOrEqual(chunksMin)
  for (const chunk of chunks.slice(0, -1)) {
    expect([chunk.header, chunk.count, chunk.more]).toEqual([null, '0', false])
  }
})

test('what is written meanwhile does not show', async () => {
  const before = await range(all)
  let writes = 0
  const chunks = await stream(all, () => put(`key/new${writes++}`, 'x'))
  expect(writes).toBeGreaterThan(2)
  expect(textOf(merge(chunks)) === textOf(before)).toBe(true)
})

test.each([
  [{ ...all, sort_order: 'DESCEND' }, 12, 'RangeStream does not support custom sort orders'],
  [{ ...all, min_mod_revision: 5 }, 12, 'RangeStream does not support revision filters'],
  [{}, 3, 'etcdserver: key is not provided'],
  [{ ...all, sort_order: 9 }, 3, 'etcdserver: invalid sort option'],
  [{ ...all, revision: 99_999 }, 11, 'etcdserver: mvcc: required revision is a future revision'],
])('%j is refused', async (request, code, details) => {
  await expect(stream(request)).rejects.toMatchObject({ code, details })
})

test('a stream whose revision is compacted ends with an error', async () => {
  const { header } = (await range(all)) as unknown as { header: { revision: string } }
  await put('key/0001', 'changed')
  const compact = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const revision = Number(header.revision) + 1
      kv.Compact({ revision }, (error) => (error ? reject(error) : resolve()))
    })
  const reading = stream({ ...all, revision: Number(header.revision) }, compact)
  await expect(reading).rejects.toMatchObject({ code: 11 })
})
