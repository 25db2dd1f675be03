import { once } from 'node:events'
import { constants, type ClientHttp2Session } from 'node:http2'
import { get } from 'node:https'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'
import { bodyBytesMax } from './http-call.ts'
import { encodeHead } from './http2-head.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const json = { 'content-type': 'application/json' }

let api: ApiFixture
let session: ClientHttp2Session
beforeAll(async () => {
  api = await ApiFixture.start()
  session = api.connectAs(api.server.certificates.admin)
})
afterAll(async () => {
  session.destroy()
  await api.close()
})

const configMap = (name: string, text: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { text },
  })

/** What comes of a POST with these headers and parts of a body. */
const post = async (
  headers: Readonly<Record<string, string>>,
  parts: readonly string[],
): Promise<{ readonly status: number; readonly resetCode: number }> => {
  const stream = session.request({ ':method': 'POST', ':path': configMaps, ...json, ...headers })
  stream.on('error', () => undefined)
  let status = 0
  stream.on('response', (received) => (status = Number(received[':status'])))
  stream.resume()
  for (const part of parts) stream.write(part)
  stream.end()
  await new Promise((resolve) => stream.on('close', resolve))
  return { status, resetCode: stream.rstCode ?? 0 }
}

test('a body in parts arrives whole; one that is too large is answered with 413 and the connection goes on', async () => {
  const body = configMap('parts', 'ä'.repeat(100_000))
  const third = Math.ceil(body.length / 3)
  const parts = [0, 1, 2].map((index) => body.slice(index * third, (index + 1) * third))
  expect(await post({}, parts)).toEqual({ status: 201, resetCode: 0 })
  const { json: stored } = await api.request('GET', `${configMaps}/parts`)
  expect(stored.data.text).toHaveLength(100_000)
  const tooLarge = await post({}, ['x'.repeat(bodyBytesMax), 'x'])
  expect(tooLarge.status).toBe(413)
  expect(await post({}, [configMap('after', '')])).toEqual({ status: 201, resetCode: 0 })
})

test('a body of another length than was said resets its stream and is not stored', async () => {
  const answer = await post({ 'content-length': '10000' }, [configMap('short', '')])
  expect(answer).toEqual({ status: 0, resetCode: constants.NGHTTP2_PROTOCOL_ERROR })
  expect((await api.request('GET', `${configMaps}/short`)).status).toBe(404)
})

test('a client that asks before it sends its body is told to go on', async () => {
  const headers = { ':method': 'POST', ':path': configMaps, ...json, expect: '100-continue' }
  const stream = session.request(headers)
  await once(stream, 'continue')
  stream.end(configMap('asked', ''))
  const [received] = (await once(stream, 'response')) as [Record<string, unknown>]
  expect(received[':status']).toBe(201)
  stream.resume()
  await once(stream, 'close')
})

test('clients may ping as often as they like', async () => {
  for (let count = 0; count < 20; count++) {
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error === null ? resolve() : reject(error)))
    })
  }
  expect((await api.request('GET', '/version')).status).toBe(200)
})

test('HEAD is answered with the head of GET', async () => {
  const { headers } = await api.request('GET', `${configMaps}/parts`)
  const head = await api.request('HEAD', `${configMaps}/parts`)
  expect(head.text).toBe('')
  expect(head.headers).toMatchObject({
    ':status': '200',
    'content-length': headers['content-length'],
    'content-type': 'application/json',
    date: expect.stringMatching(/ GMT$/),
  })
})

test('a list that its client does not read waits in parts, holds up nobody, and is whole when it is read', async () => {
  const text = 'x'.repeat(100_000)
  for (let index = 0; index < 40; index++) {
    await api.request('POST', configMaps, { body: JSON.parse(configMap(`large-${index}`, text)) })
  }
  // One that is read to the end of the connection's window would hold up the others by the rules of HTTP/2.
  session.setLocalWindowSize(2 ** 20)
  const list = session.request({ ':path': `${configMaps}?limit=40` })
  list.pause()
  await once(list, 'response')
  for (let index = 0; index < 10; index++) {
    const other = session.request({ ':path': `${configMaps}/after` })
    const [received] = (await once(other, 'response')) as [Record<string, unknown>]
    expect(received[':status']).toBe(200)
    other.resume()
  }
  const chunks: Buffer[] = []
  list.on('data', (chunk: Buffer) => chunks.push(chunk)).resume()
  await once(list, 'end')
  const items = (JSON.parse(Buffer.concat(chunks).toString('utf8')) as { items: unknown[] }).items
  expect(items).toHaveLength(40)
})

/** Over HTTP/1.1, with a path of any length. */
const statusOf = (path: string): Promise<number> => {
  const { certificates, url } = api.server
  const { certificate: cert, key } = certificates.admin
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { ca: certificates.ca.certificate, cert, key }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    }).on('error', reject)
  })
}

test('a long selector is taken over both protocols, a URL without end is refused', async () => {
  const path = (count: number): string =>
    `${configMaps}?labelSelector=${Array.from({ length: count }, () => 'a!%3Db').join(',')}`
  expect((await api.request('GET', path(3000))).status).toBe(200)
  expect(await statusOf(path(3000))).toBe(200)
  expect(await statusOf(path(10_000))).toBe(400)
})

test('a head longer than one byte can tell the length of is encoded all the same', () => {
  const block = encodeHead(200, { location: 'a'.repeat(200), warning: ['b', 'c'], date: 'today' })
  const text = block.toString('latin1')
  expect(text).toContain(`location\x7f\x49${'a'.repeat(200)}`)
  expect(text).toContain('\0\x07warning\x01b\0\x07warning\x01c')
  expect(text.endsWith('\0\x04date\x05today')).toBe(true)
  expect(block[0]).toBe(0x88)
})
