// Both ends of a tunnel against peers that break off, fall silent, flood, or say what makes no sense.
import { connect, createServer } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { CommandStreams } from '../../apiserver/node-connections.ts'
import { openCertificates } from '../../apiserver/pki/certificates.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { encodeFrame, readFrames, resultChannel, stdinChannel } from './frames.ts'
import { RemoteNode } from './remote-node.ts'
import { requestUpgrade } from './request-upgrade.ts'

const metadata = { name: 'web', namespace: 'shop', uid: 'u1' }
const pod: Stored<KubeObject> = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, resourceVersion: '1', creationTimestamp: '' },
}
const closers: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const close of closers.splice(0)) close()
})

/** An agent that answers each call by `answer`, and the apiserver's end of its tunnel. */
const hostileAgent = async (
  answer: (stream: ServerHttp2Stream) => void,
): Promise<{ readonly node: RemoteNode; readonly session: ClientHttp2Session }> => {
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    answer(stream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.on('error', () => undefined)
  closers.push(() => {
    session.destroy()
    server.close()
  })
  return { node: new RemoteNode(session, 'far'), session }
}

test('an agent that refuses a port without an end is given up', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { node, session } = await hostileAgent((stream) => {
    stream.respond({ ':status': 502 })
    stream.write('because')
  })
  const request = vi.spyOn(session, 'request')
  const refused = expect(node.dial(pod, 80)).rejects.toThrow()
  const stream = request.mock.results[0]?.value as ClientHttp2Stream
  await new Promise((resolve) => stream.once('response', resolve))
  await vi.advanceTimersByTimeAsync(60_000)
  await refused
})

test.each([
  ['null', 500],
  ['nonsense', 500],
  ['{"error":null}', undefined],
  ['{"error":{"code":200,"reason":7,"message":{}}}', undefined],
  ['{"error":{"code":"404","message":"x"}}', undefined],
  ['{"error":{"code":404,"reason":"NotFound","message":"x"}}', 404],
  ['{"value":{"pods":"all"}}', 500],
  ['{}', 500],
])('a result of %s is a failure of the node', async (text, code) => {
  const { node } = await hostileAgent((stream) => {
    stream.respond({ ':status': 200 })
    stream.end(encodeFrame(resultChannel, Buffer.from(text)))
  })
  const failure: unknown = await node.stats().catch((reason: unknown) => reason)
  expect(failure).toBeInstanceOf(Error)
  expect(failure).toHaveProperty('message', expect.any(String))
  expect((failure as { code?: unknown }).code).toBe(code)
})

test('sizes of a terminal do not pile up while the agent reads nothing', async () => {
  const { node, session } = await hostileAgent((stream) => stream.pause())
  const request = vi.spyOn(session, 'request')
  let resize: Parameters<CommandStreams['onResize']>[0] = () => undefined
  const client = new AbortController()
  const running = node.exec(
    pod,
    { container: 'main', command: ['x'] },
    {
      stdin: new PassThrough(),
      stdout: undefined,
      stderr: undefined,
      tty: true,
      onResize: (listener) => (resize = listener),
      signal: client.signal,
    },
  )
  for (let columns = 0; columns < 100_000; columns++) resize({ columns, rows: 1 })
  const stream = request.mock.results[0]?.value as ClientHttp2Stream
  expect(stream.writableLength).toBeLessThan(128 * 1024)
  client.abort()
  await expect(running).rejects.toThrow()
})

test('a piece that comes byte by byte is put together once', async () => {
  const piece = encodeFrame(stdinChannel, Buffer.alloc(20_000, 7))
  const bytes = Buffer.concat([piece, encodeFrame(stdinChannel, Buffer.alloc(0)), piece])
  const concat = vi.spyOn(Buffer, 'concat')
  const lengths: number[] = []
  const chunks = Array.from(bytes, (_one, index) => bytes.subarray(index, index + 1))
  for await (const frame of readFrames(Readable.from(chunks))) {
    lengths.push(frame.bytes.length)
    expect(frame.bytes.every((one) => one === 7)).toBe(true)
  }
  expect(lengths).toEqual([20_000, 0, 20_000])
  const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0)
  concat.mockRestore()
  expect(copied).toBeLessThan(1000)
})

test('an apiserver that breaks off in the middle of a refusal is told at once', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'balsa-refusal-'))
  const { ca, server: pair } = await openCertificates(dataDir, '127.0.0.1')
  const server = createTlsServer({ key: pair.key, cert: pair.certificate }, (socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nhalf')
    socket.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const asked = requestUpgrade({ url, ca: ca.certificate }, { path: '/', protocol: 'x' })
  await expect(asked).rejects.toMatchObject({ code: 'BROKEN' })
  server.close()
  await rm(dataDir, { recursive: true, force: true })
})
