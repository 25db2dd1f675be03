import { request } from 'node:http'
import { expect, test } from 'vitest'
import { listenClients } from '../client-listener.ts'
import { FakeMember } from '../testing/fake-member.ts'

interface Answer {
  readonly status: number
  readonly origin: unknown
  readonly location: unknown
  readonly text: string
}

function ask(url: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, method, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => {
        const { 'access-control-allow-origin': origin, location } = response.headers
        resolve({ status: response.statusCode ?? 0, origin, location, text })
      })
    })
    sent.on('error', reject)
    sent.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ status: 101, origin: undefined, location: undefined, text: '' })
    })
    sent.end()
  })
}

test('only listed hosts may be asked by and only listed origins may read', async () => {
  const listener = await listenClients({
    member: new FakeMember(),
    urls: ['http://127.0.0.1:0'],
    access: { cors: ['http://page'], hostWhitelist: ['good'] },
  })
  const url = `${listener.urls[0] ?? ''}/version`
  expect(await ask(url, { host: 'bad:2379' })).toMatchObject({
    status: 421,
    text: expect.stringContaining('etcd --host-whitelist "bad"'),
  })
  expect(await ask(url, { host: 'good:2379' })).toMatchObject({ status: 200, origin: undefined })
  const page = { host: 'good', origin: 'http://page' }
  expect(await ask(url, page)).toMatchObject({ status: 200, origin: 'http://page' })
  expect(await ask(url, { ...page, origin: 'http://other' })).toMatchObject({ origin: undefined })
  const upgrade = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  }
  const watch = `${listener.urls[0] ?? ''}/v3/watch`
  expect((await ask(watch, { ...upgrade, host: 'bad' })).status).toBe(404)
  expect((await ask(watch, { ...upgrade, host: 'good' })).status).toBe(101)
  await listener.close()
})

test('a path has one name: others are sent there', async () => {
  const listener = await listenClients({ member: new FakeMember(), urls: ['http://127.0.0.1:0'] })
  const url = listener.urls[0] ?? ''
  expect(await ask(`${url}//version?a=1&b`, {})).toMatchObject({
    status: 301,
    origin: '*',
    location: '/version?a=1&b',
    text: '<a href="/version?a=1&amp;b">Moved Permanently</a>.\n\n',
  })
  expect(await ask(`${url}/v3`, {}, 'POST')).toMatchObject({
    status: 301,
    location: '/v3/',
    text: '',
  })
  await listener.close()
})
