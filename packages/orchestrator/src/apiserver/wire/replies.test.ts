import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { configMapType } from '../../resources/index.ts'
import { ObjectCodec, StoredObject } from '../storage/stored-object.ts'
import { Exchange } from './exchange.ts'
import type { HttpCall } from './http-call.ts'
import { sendList, viewFor } from './replies.ts'

/** A list of half a megabyte, as a client at `remoteAddress` gets it. */
const received = async (
  remoteAddress: string,
): Promise<{
  readonly headers: Record<string, unknown>
  readonly bytes: Buffer
  readonly writes: number
}> => {
  const chunks: Buffer[] = []
  let headers: Record<string, unknown> = {}
  const call: HttpCall = {
    method: 'GET',
    url: '/api/v1/configmaps',
    headers: { 'accept-encoding': 'gzip' },
    remoteAddress,
    status: 200,
    isStarted: false,
    onClose: () => undefined,
    onDrain: () => undefined,
    receive: async () => Promise.resolve(Buffer.alloc(0)),
    dropBody: () => undefined,
    respond: () => undefined,
    start: (_status, sent) => {
      headers = sent
    },
    write: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
    end: () => undefined,
    destroy: () => undefined,
  }
  const exchange = new Exchange(call)
  const codec = new ObjectCodec(configMapType)
  const items = Array.from({ length: 500 }, (_, index) => {
    const metadata = { name: `c${index}`, uid: 'u' }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'x'.repeat(1000) } }
    return new StoredObject(codec, `default/c${index}`, codec.encode(object), index + 1)
  })
  const page = { items, revision: 500, continue: undefined, remaining: undefined }
  await sendList(exchange, viewFor(exchange, configMapType, 0), page)
  return { headers, bytes: Buffer.concat(chunks), writes: chunks.length }
}

test('a large list goes out in parts, compressed for clients that are not on this machine', async () => {
  const near = await received('127.0.0.1')
  expect(near.headers).not.toHaveProperty('content-encoding')
  expect(near.writes).toBeGreaterThan(5)
  const list = JSON.parse(near.bytes.toString('utf8')) as { items: unknown[] }
  expect(list.items).toHaveLength(500)
  const far = await received('192.0.2.7')
  expect(far.headers).toMatchObject({ 'content-encoding': 'gzip' })
  expect(far.bytes.length).toBeLessThan(near.bytes.length / 10)
  expect(gunzipSync(far.bytes).equals(near.bytes)).toBe(true)
})
