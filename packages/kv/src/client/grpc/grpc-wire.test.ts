import { afterEach, expect, test, vi } from 'vitest'
import { listenClients } from '../../api/client-listener.ts'
import type { ClientListener } from '../../api/client-listener.ts'
import { FakeMember } from '../../api/testing/fake-member.ts'
import type { Kv, KvEvent } from '../../kv.ts'
import type { MemberApi } from '../../member/types.ts'
import { openTestMember } from '../../member/testing/test-member.ts'
import { connect } from '../connect.ts'
import type { ConnectOptions } from '../connect.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function listen(member: MemberApi, url = 'http://127.0.0.1:0'): Promise<ClientListener> {
  const listener = await listenClients({ member, urls: [url] })
  cleanUps.push(() => listener.close())
  return listener
}

async function open(
  endpoints: readonly string[],
  options: Partial<ConnectOptions> = {},
): Promise<Kv> {
  const kv = await connect({ endpoints, protocol: 'grpc', ...options })
  cleanUps.push(() => kv.close())
  return kv
}

test('an endpoint that dies is left for another one, also by watches, which see every event once', async () => {
  const { core } = await openTestMember()
  cleanUps.push(() => core.close())
  const [first, second] = [await listen(core), await listen(core)]
  const kv = await open([...first.urls, ...second.urls])
  const writer = await open(second.urls)
  const seen: KvEvent[] = []
  const stood = new Promise<number>((resolve) => {
    kv.watch({ prefix: 'w/' }, { created: resolve, batch: ({ events }) => seen.push(...events) })
  })
  await stood
  await writer.put('w/0', 'x')
  await vi.waitFor(() => expect(seen.length).toBe(1))
  await first.close()
  for (let i = 1; i < 20; i++) await writer.put(`w/${i}`, 'x')
  expect((await kv.range({ prefix: 'w/' })).count).toBe(20)
  await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(20), 20_000)
  expect(seen.map((event) => Buffer.from(event.kv.key).toString())).toEqual(
    Array.from({ length: 20 }, (_, i) => `w/${i}`),
  )
})

test('a server that is away for a while is waited for', async () => {
  const member = new FakeMember()
  const first = await listenClients({ member, urls: ['http://127.0.0.1:0'] })
  const kv = await open(first.urls)
  await kv.put('a', '1')
  await first.close()
  const get = kv.get('a')
  await listen(member, first.urls[0])
  expect((await get)?.version).toBe(1)
})

test('a write whose connection broke says that it may have been applied; a read is repeated', async () => {
  const member = new FakeMember()
  const first = await listenClients({ member, urls: ['http://127.0.0.1:0'] })
  const kv = await open(first.urls)
  await kv.put('a', '1')
  let held = 0
  member.hold = () => void held++
  const put = kv.put('b', '1')
  const lost = expect(put).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  const get = kv.get('a')
  await vi.waitFor(() => expect(held).toBe(2))
  member.hold = undefined
  await first.close()
  await listen(member, first.urls[0])
  await lost
  expect((await get)?.version).toBe(1)
})

test('an aborted call rejects with ABORTED, one without an answer with TIMEOUT', async () => {
  const member = new FakeMember()
  const kv = await open((await listen(member)).urls, { requestTimeoutMs: 300 })
  member.hold = () => undefined
  await expect(kv.put('a', '1')).rejects.toMatchObject({ code: 'TIMEOUT' })
  const controller = new AbortController()
  const get = kv.get('a', { signal: controller.signal })
  controller.abort()
  await expect(get).rejects.toMatchObject({ code: 'ABORTED' })
})
