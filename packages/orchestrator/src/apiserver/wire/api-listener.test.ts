// What strangers and slow clients get of the apiserver's port: an answer, and no room.
import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

let api: ApiFixture
const sockets: TLSSocket[] = []
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await api.close()
})

/** What the server answers over HTTP/1.1 to `text`, up to and with `until`. */
const answerTo = async (text: string, until: RegExp, isAdmin: boolean): Promise<string> => {
  const { certificates, url } = api.server
  const { admin, ca } = certificates
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    ca: ca.certificate,
    ...(isAdmin ? { cert: admin.certificate, key: admin.key } : {}),
  })
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) {
    answer += String(chunk)
    if (until.test(answer)) break
  }
  return answer
}

const post = (path: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n${more}\r\n`

test('who may not is told so before his body is there, over both protocols', async () => {
  const session = api.connectAs(undefined)
  const stream = session.request({
    ':method': 'POST',
    ':path': configMaps,
    'content-type': 'application/json',
  })
  stream.on('error', () => undefined)
  stream.write(Buffer.alloc(100_000, 'x'))
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
  expect(head[':status']).toBe(403)
  stream.resume()
  await once(stream, 'close')
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
  session.destroy()
  const answer = await answerTo(`${post(configMaps)}{"half":`, /"code":403/, false)
  expect(answer).toMatch(/^HTTP\/1\.1 403 /)
})

test('who asks before he sends his body is told to go on only where it will be read', async () => {
  const expectation = 'Expect: 100-continue\r\n'
  const refused = await answerTo(post(configMaps, expectation), /"code":403/, false)
  expect(refused).toMatch(/^HTTP\/1\.1 403 /)
  expect(refused).toMatch(/^connection: close\r$/im)
  const admitted = await answerTo(post(configMaps, expectation), /\r\n\r\n/, true)
  expect(admitted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
})

test('a body that does not come to its end in time is answered with 504, over both protocols', async () => {
  const path = `${configMaps}?timeout=200ms`
  const session = api.connectAs(api.server.certificates.admin)
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/json',
  })
  stream.on('error', () => undefined)
  stream.write('{"half":')
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
  expect(head[':status']).toBe(504)
  session.destroy()
  expect(await answerTo(`${post(path)}{"half":`, /"code":504/, true)).toMatch(/^HTTP\/1\.1 504 /)
  expect(api.errors).toEqual([])
})

test('what is no request is answered with 400, a head without end with 431, and the connection ends', async () => {
  expect(await answerTo('nonsense\r\n\r\n', /never/, false)).toMatch(/^HTTP\/1\.1 400 Bad Request/)
  const long = `GET / HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(140_000)}\r\n\r\n`
  expect(await answerTo(long, /never/, false)).toMatch(/^HTTP\/1\.1 431 /)
})
