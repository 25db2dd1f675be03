import { afterEach, expect, test, vi } from 'vitest'
import { FakeMember } from '../../api/testing/fake-member.ts'
import type { KvEvent } from '../../kv.ts'
import { openTestMember } from '../../member/testing/test-member.ts'
import { connect } from '../connect.ts'
import type { ConnectOptions } from '../connect.ts'
import type { Kv } from '../../kv.ts'
import { listenNative } from '../testing/native-listener.ts'
import type { NativeListener } from '../testing/native-listener.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function listen(...options: Parameters<typeof listenNative>): Promise<NativeListener> {
  const listener = await listenNative(...options)
  cleanUps.push(() => listener.close())
  return listener
}

async function open(
  endpoints: readonly string[],
  options: Partial<ConnectOptions> = {},
): Promise<Kv> {
  const kv = await connect({ endpoints, protocol: 'native', ...options })
  cleanUps.push(() => kv.close())
  return kv
}

/** A member whose hello names others. */
class NamedMember extends FakeMember {
  puts = 0
  readonly #id: bigint
  readonly #urls: ReadonlyMap<bigint, string>

  constructor(id: bigint, urls: ReadonlyMap<bigint, string>) {
    super()
    this.#id = id
    this.#urls = urls
  }

  override header(): ReturnType<FakeMember['header']> {
    return { ...super.header(), memberId: this.#id }
  }

  override put(...call: Parameters<FakeMember['put']>): void {
    this.puts++
    super.put(...call)
  }

  override memberList(...[, done]: Parameters<FakeMember['memberList']>): void {
    const members = [...this.#urls].map(([id, url]) => {
      return { id, name: 'x', peerUrls: [], clientUrls: [url], isLearner: false }
    })
    done(undefined, { header: this.header(), members })
  }
}

async function threeMembers(): Promise<{ members: NamedMember[]; endpoints: string[] }> {
  const urls = new Map<bigint, string>()
  const members = [1n, 2n, 3n].map((id) => new NamedMember(id, urls))
  const endpoints: string[] = []
  for (const [i, member] of members.entries()) {
    member.leaderId = 3n
    const { endpoint } = await listen(member)
    urls.set(BigInt(i + 1), endpoint)
    endpoints.push(endpoint)
  }
  return { members, endpoints }
}

test('calls go to the leader, wherever the client came in, and follow it when it changes', async () => {
  const { members, endpoints } = await threeMembers()
  const kv = await open(endpoints.slice(0, 1))
  await vi.waitFor(async () => {
    await kv.put('a', '1')
    expect(members[2]?.puts).toBeGreaterThan(0)
  })
  for (const member of members) member.leaderId = 2n
  await vi.waitFor(async () => {
    await kv.put('a', '1')
    expect(members[1]?.puts).toBeGreaterThan(0)
  })
  const before = members.map(({ puts }) => puts)
  for (let i = 0; i < 10; i++) await kv.put('a', '1')
  expect(members.map(({ puts }, i) => puts - (before[i] ?? 0))).toEqual([0, 10, 0])
})

test('a leader that cannot be reached costs nothing: the member at hand forwards', async () => {
  const urls = new Map([
    [1n, ''],
    [2n, 'http://127.0.0.1:1'],
  ])
  const member = new NamedMember(1n, urls)
  member.leaderId = 2n
  const { endpoint } = await listen(member)
  const kv = await open([endpoint])
  for (let i = 0; i < 5; i++) await kv.put('a', '1')
  expect(member.puts).toBe(5)
})

test('an endpoint that dies is left for another one', async () => {
  const { core } = await openTestMember()
  cleanUps.push(() => core.close())
  const [first, second] = [await listen(core), await listen(core)]
  const kv = await open([first.endpoint, second.endpoint])
  await kv.put('a', '1')
  await first.close()
  expect((await kv.get('a'))?.version).toBe(1)
  expect((await kv.put('a', '2')).revision).toBe(3)
})

test('endpoints that are down at first are tried until one answers', async () => {
  const member = new FakeMember()
  const probe = await listenNative(member)
  const { endpoint } = probe
  await probe.close()
  const opening = open([endpoint])
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  await listen(member, Number(new URL(endpoint).port))
  await (await opening).put('a', '1')
})

test('a write whose connection broke is not repeated, and says that it may have been applied', async () => {
  const member = new FakeMember()
  const listener = await listen(member)
  const kv = await open([listener.endpoint])
  let held = 0
  member.hold = () => void held++
  const put = kv.put('a', '1')
  await vi.waitFor(() => expect(held).toBe(1))
  member.hold = undefined
  listener.cut()
  await expect(put).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: 'balsa: connection lost, the request may have been applied',
  })
  expect(await kv.get('a')).toBeUndefined()
})

test('with retryWrites a plain put is repeated, one that asks for the previous value is not', async () => {
  const member = new FakeMember()
  const listener = await listen(member)
  const kv = await open([listener.endpoint], { retryWrites: true })
  let held = 0
  member.hold = () => void held++
  const plain = kv.put('a', '1')
  const asking = kv.put('b', '1', { prevKv: true })
  const refused = expect(asking).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  await vi.waitFor(() => expect(held).toBe(2))
  member.hold = undefined
  listener.cut()
  await refused
  expect((await plain).revision).toBe(2)
})

test('a read whose connection broke is repeated', async () => {
  const member = new FakeMember()
  const listener = await listen(member)
  const kv = await open([listener.endpoint])
  await kv.put('a', '1')
  let held = 0
  member.hold = () => void held++
  const get = kv.get('a')
  await vi.waitFor(() => expect(held).toBe(1))
  member.hold = undefined
  listener.cut()
  expect((await get)?.version).toBe(1)
})

test('a call that is not answered in time rejects with TIMEOUT; an aborted one with ABORTED', async () => {
  const member = new FakeMember()
  const listener = await listen(member)
  const kv = await open([listener.endpoint], { requestTimeoutMs: 200 })
  member.hold = () => undefined
  await expect(kv.put('a', '1')).rejects.toMatchObject({ code: 'TIMEOUT' })
  const controller = new AbortController()
  const get = kv.get('a', { signal: controller.signal })
  controller.abort()
  await expect(get).rejects.toMatchObject({ code: 'ABORTED' })
})

test('a request too large for the wire is refused before it is sent', async () => {
  const listener = await listen(new FakeMember())
  const kv = await open([listener.endpoint])
  const value = new Uint8Array(5 << 20)
  await expect(kv.put('a', value)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' })
  await kv.put('a', 'small')
})

test('a watch that loses its connection again and again sees every event once, in order', async () => {
  const { core } = await openTestMember()
  cleanUps.push(() => core.close())
  const listener = await listen(core)
  const reader = await open([listener.endpoint])
  const writer = await listen(core).then(({ endpoint }) => open([endpoint]))
  const seen: KvEvent[] = []
  let created = 0
  const watch = reader.watch(
    { prefix: 'w/' },
    { created: () => created++, batch: ({ events }) => seen.push(...events) },
  )
  await vi.waitFor(() => expect(created).toBe(1))
  const count = 300
  for (let i = 0; i < count; i++) {
    await writer.put(`w/${i}`, String(i))
    if (i % 30 === 0) listener.cut()
  }
  await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(count), 20_000)
  expect(seen.map(({ kv }) => Buffer.from(kv.key).toString())).toEqual(
    Array.from({ length: count }, (_, i) => `w/${i}`),
  )
  expect(created).toBe(1)
  watch.close()
})

test('a watch that was away while its history was compacted ends with COMPACTED', async () => {
  const { core } = await openTestMember()
  cleanUps.push(() => core.close())
  const port = Number(new URL((await listen(core)).endpoint).port)
  const first = await listenNative(core)
  const reader = await open([first.endpoint])
  const writer = await open([`http://127.0.0.1:${port}`])
  const ended = new Promise((resolve) => {
    reader.watch(
      { prefix: 'w/', startRevision: 1 },
      { batch: () => undefined, ended: resolve, created: () => void goAway() },
    )
  })
  const goAway = async (): Promise<void> => {
    await first.close()
    for (let i = 0; i < 5; i++) await writer.put('w/a', String(i))
    await writer.compact(4)
    await listen(core, Number(new URL(first.endpoint).port))
  }
  expect(await ended).toMatchObject({ code: 'COMPACTED', compactRevision: 4 })
})

test('after close() calls are refused and watches have ended', async () => {
  const listener = await listen(new FakeMember())
  const kv = await open([listener.endpoint])
  const ended: unknown[] = []
  kv.watch({ key: 'a' }, { batch: () => undefined, ended: (error) => ended.push(error) })
  await kv.close()
  expect(ended).toEqual([undefined])
  await expect(kv.get('a')).rejects.toMatchObject({ code: 'ABORTED' })
})
