import { expect, test } from 'vitest'
import { encodePutRequest, encodeRangeRequest } from '../../proto/index.ts'
import { openFakeListener } from '../testing/fake-listener.ts'
import { frame, RawHttp2Client, uint32 } from '../testing/raw-http2-client.ts'
import { waitFor } from '../testing/wait-for.ts'
import { frameType } from './http2/http2-protocol.ts'
import { unreadBytesMax } from './http2/stream-sender.ts'

const mebibyte = 2 ** 20

test('answers that a client does not read are bounded; when it reads again it gets answers again', async () => {
  const server = await openFakeListener()
  const client = new RawHttp2Client(server.url)
  client.start()
  const noBytes = new Uint8Array(0)
  const key = Buffer.from('large')
  const put = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false }
  const value = new Uint8Array(mebibyte)
  client.request(1, '/etcdserverpb.KV/Put', encodePutRequest({ key, value, ...put }))
  await waitFor(() => expect(client.headers(1).get('grpc-status')).toBe('0'))
  const range = encodeRangeRequest({
    key,
    rangeEnd: noBytes,
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  })
  const ask = (streamId: number): void => client.request(streamId, '/etcdserverpb.KV/Range', range)
  const taken = unreadBytesMax.connection / mebibyte + 1
  for (let i = 1; i <= taken + 10; i++) ask(1 + 2 * i)
  const statusOf = (i: number): string | undefined => client.headers(1 + 2 * i).get('grpc-status')
  await waitFor(() => expect(statusOf(taken + 10)).toBe('8'))
  for (let i = taken + 1; i <= taken + 10; i++) expect(statusOf(i)).toBe('8')
  for (let i = 1; i <= taken; i++) expect(statusOf(i)).toBeUndefined()
  client.write(frame(frameType.windowUpdate, 0, 0, uint32(2 ** 30)))
  for (let i = 1; i <= taken; i++) {
    client.write(frame(frameType.windowUpdate, 0, 1 + 2 * i, uint32(2 ** 24)))
  }
  await waitFor(() => expect(statusOf(taken)).toBe('0'))
  const next = taken + 11
  ask(1 + 2 * next)
  client.write(frame(frameType.windowUpdate, 0, 1 + 2 * next, uint32(2 ** 24)))
  await waitFor(() => expect(statusOf(next)).toBe('0'))
  client.close()
  await server[Symbol.asyncDispose]()
})
