import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KvError } from '@balsa/kv'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startApiServer } from './api-server.ts'
import { MemoryStore } from './memory-store.ts'
import type { StoredValue } from './store.ts'
import { ApiFixture } from './testing/api-fixture.ts'

let dataDir = ''
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'balsa-server-'))
})
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

const busyPort = async (): Promise<{ port: number; server: Server }> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, server }
}

test('a busy port is one line that names the flag and the cure, and writes nothing to the store', async () => {
  const { port, server } = await busyPort()
  const store = new MemoryStore()
  const url = `https://127.0.0.1:${port}`
  await expect(startApiServer({ store, url, dataDir })).rejects.toThrow(
    `--api-url ${url}: the port is in use: stop what uses it or choose another port`,
  )
  expect(await store.count('/registry/')).toBe(0)
  server.close()
})

test('an address that this machine does not have is refused with the cure', async () => {
  const url = 'https://192.0.2.99:0'
  await expect(startApiServer({ store: new MemoryStore(), url, dataDir })).rejects.toThrow(
    '--api-url https://192.0.2.99:0: this machine has no such address',
  )
})

test('started again on its data it keeps its authority, its objects and the service kubernetes, whose endpoint follows', async () => {
  const store = new MemoryStore()
  const start = (): ReturnType<typeof startApiServer> =>
    startApiServer({ store, url: 'https://127.0.0.1:0', dataDir })
  const first = await start()
  const service = { group: '', version: 'v1', plural: 'services' }
  const endpoints = { group: '', version: 'v1', plural: 'endpoints' }
  const before = await first.client.get(service, 'default', 'kubernetes')
  await first.close()
  const second = await start()
  const { frontProxy, ...pairs } = second.certificates
  expect(first.certificates).toMatchObject(pairs)
  expect(await frontProxy()).toEqual(await first.certificates.frontProxy())
  expect(await second.client.get(service, 'default', 'kubernetes')).toEqual(before)
  expect(await second.client.get(endpoints, 'default', 'kubernetes')).toMatchObject({
    subsets: [{ ports: [{ port: Number(new URL(second.url).port) }] }],
  })
  await second.close()
  await store.close()
})

test('closing ends open watches', async () => {
  const api = await ApiFixture.start()
  const watch = await api.lines('/api/v1/pods?watch=true')
  await api.close()
  expect(await watch.all()).toEqual([])
})

/** A store that can be told to fail. */
class FailingStore extends MemoryStore {
  failure: Error | undefined

  override async get(key: string): Promise<StoredValue | undefined> {
    if (this.failure !== undefined) throw this.failure
    return super.get(key)
  }
  override async currentRevision(): Promise<number> {
    if (this.failure !== undefined) throw this.failure
    return super.currentRevision()
  }
}

test('a store that fails is a 500 with its text, one that finds a value too large a 413, and the server goes on', async () => {
  const store = new FailingStore()
  const errors: Error[] = []
  const api = await ApiFixture.start({ store, onError: (error) => errors.push(error) })
  store.failure = new KvError('TIMEOUT')
  const answer = await api.request('GET', '/api/v1/nodes/a')
  expect([answer.status, answer.json.reason, answer.json.message]).toEqual([
    500,
    'InternalError',
    'Internal error occurred: etcdserver: request timed out',
  ])
  store.failure = new KvError('REQUEST_TOO_LARGE')
  expect((await api.request('GET', '/api/v1/nodes/a')).status).toBe(413)
  store.failure = undefined
  expect((await api.request('GET', '/api/v1/nodes/a')).status).toBe(404)
  expect(errors).toHaveLength(2)
  await api.close()
})
