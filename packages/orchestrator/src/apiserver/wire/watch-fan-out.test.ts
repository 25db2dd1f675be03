// A thousand clients that watch the same: what an event costs once, and what each of them gets.
import type { ClientHttp2Session } from 'node:http2'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CacheEvent } from '../storage/resource-cache.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const watchersPerSession = 100
const sessionsCount = 10
const podsCount = 5
const pods = '/api/v1/namespaces/default/pods'
const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io'

let api: ApiFixture
const sessions: ClientHttp2Session[] = []
beforeAll(async () => {
  api = await ApiFixture.start()
  for (let count = 0; count < sessionsCount; count++) {
    sessions.push(api.connectAs(api.server.certificates.admin))
  }
})
afterAll(async () => {
  vi.restoreAllMocks()
  for (const session of sessions) session.destroy()
  await api.close()
})

/** How often an event was made into bytes, by form. */
const countEncodings = (): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  const encoded = CacheEvent.prototype.encoded
  vi.spyOn(CacheEvent.prototype, 'encoded').mockImplementation(function (
    this: CacheEvent,
    form: string,
    encode: () => Buffer,
  ) {
    return encoded.call(this, form, () => {
      counts.set(form, (counts.get(form) ?? 0) + 1)
      return encode()
    })
  })
  return counts
}

interface Watched {
  readonly opened: Promise<void>
  /** Everything up to the last of `count` lines. */
  readonly received: Promise<string>
}

const watch = (session: ClientHttp2Session, accept: string, count: number): Watched => {
  const stream = session.request({ ':path': `${pods}?watch=1`, accept })
  const opened = new Promise<void>((resolve) => stream.on('response', () => resolve()))
  const received = new Promise<string>((resolve, reject) => {
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.split('\n').length > count) resolve(text)
    })
    stream.on('error', reject)
  })
  return { opened, received }
}

test('an event is encoded once for a thousand watchers, and once more for those who watch a table', async () => {
  const counts = countEncodings()
  const watchers = sessions.flatMap((session) =>
    Array.from({ length: watchersPerSession }, () => watch(session, 'application/json', podsCount)),
  )
  const tables = sessions.map((session) => watch(session, tableType, podsCount))
  await Promise.all([...watchers, ...tables].map(({ opened }) => opened))
  for (let index = 0; index < podsCount; index++) {
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `p${index}` },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    }
    expect((await api.request('POST', pods, { body })).status).toBe(201)
  }
  const texts = await Promise.all(watchers.map(({ received }) => received))
  expect(new Set(texts).size).toBe(1)
  const events = (texts[0] ?? '')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(events).toMatchObject(
    Array.from({ length: podsCount }, (_, index) => ({
      type: 'ADDED',
      object: { metadata: { name: `p${index}` } },
    })),
  )
  expect(new Set(await Promise.all(tables.map(({ received }) => received))).size).toBe(1)
  const asObject = [...counts].filter(([form]) => form.startsWith('ADDED/json'))
  const asTable = [...counts].filter(([form]) => form.startsWith('ADDED/table'))
  expect(asObject).toEqual([['ADDED/json', podsCount]])
  // The first event of each watch of a table brings the columns.
  expect(asTable.map(([, count]) => count)).toEqual([1, podsCount - 1])
})
