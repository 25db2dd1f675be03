import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { encodeFrame } from './native/frame-codec.ts'
import { nativeVersion } from './native/native-protocol.ts'
import { openFakeListener } from './testing/fake-listener.ts'
import type { FakeListener } from './testing/fake-listener.ts'
import { waitFor } from './testing/wait-for.ts'

let server: FakeListener
beforeAll(async () => {
  server = await openFakeListener()
})
afterAll(() => server.listener.close())
beforeEach(() => {
  server.member.credentials.length = 0
})

function callStatus(client: grpc.Client, metadata: Record<string, string>): Promise<unknown> {
  const same = (bytes: Buffer): Buffer => bytes
  const headers = new grpc.Metadata()
  for (const [name, value] of Object.entries(metadata)) headers.set(name, value)
  const path = '/etcdserverpb.Maintenance/Status'
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), headers, (error, reply) =>
      error === null ? resolve(reply) : reject(error),
    )
  })
}

test('gRPC metadata token, and authorization without it, says who calls', async () => {
  const address = new URL(server.url).host
  const client = new grpc.Client(address, grpc.credentials.createInsecure())
  await callStatus(client, {})
  await callStatus(client, { authorization: 'second' })
  await callStatus(client, { token: 'first', authorization: 'second' })
  client.close()
  expect(server.member.credentials).toEqual([
    { token: 'second', commonName: undefined },
    { token: 'first', commonName: undefined },
  ])
})

test('the gateway takes the Authorization header and the metadata header of grpc-gateway', async () => {
  const post = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${server.url}/v3/maintenance/status`, { method: 'POST', body: '{}', headers })
  await post({})
  await post({ authorization: 'one' })
  await post({ 'grpc-metadata-token': 'two' })
  expect(server.member.credentials).toEqual([{ token: 'one' }, { token: 'two' }])
})

test('a native connection is one caller whose token may be renewed', async () => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/native`)
  await new Promise((resolve) => {
    socket.once('open', resolve)
  })
  socket.send(encodeFrame([[0, 'hello', nativeVersion]]))
  await waitFor(() =>
    expect(server.member.credentials).toEqual([{ token: undefined, commonName: undefined }]),
  )
  for (const token of ['one', 'two']) {
    socket.send(encodeFrame([[0, 'token', Buffer.from(token)]]))
    await waitFor(() => expect(server.member.credentials[0]?.token).toBe(token))
  }
  expect(server.member.credentials.length).toBe(1)
  socket.terminate()
})
