import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openFakeListener } from '../testing/fake-listener.ts'
import type { FakeListener } from '../testing/fake-listener.ts'
import { waitFor } from '../testing/wait-for.ts'

let server: FakeListener
beforeAll(async () => {
  server = await openFakeListener()
})
afterAll(() => server.listener.close())
beforeEach(() => {
  server.member.hold = undefined
})

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

async function post(path: string, body: unknown): Promise<{ status: number; text: string }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(server.url + path, { method: 'POST', body: text })
  return { status: response.status, text: await response.text() }
}

test('a put and a range answer with the very text of etcd', async () => {
  const put = await post('/v3/kv/put', { key: base64('foo'), value: base64('bar') })
  expect(put.status).toBe(200)
  expect(put.text).toMatch(
    /^\{"header":\{"cluster_id":"5","member_id":"7","revision":"\d+","raft_term":"2"\}\}$/,
  )
  const range = await post('/v3/kv/range', { key: base64('foo') })
  expect(range.text).toMatch(
    /"kvs":\[\{"key":"Zm9v","create_revision":"\d+","mod_revision":"\d+","version":"1","value":"YmFy"\}\],"count":"1"\}$/,
  )
})

test('names in camelCase, numbers, enum numbers, /v3beta and unknown fields are accepted', async () => {
  const body = {
    key: base64('foo'),
    keysOnly: true,
    limit: 1,
    sortOrder: 2,
    sort_target: 'MOD',
    what: 1,
  }
  const range = await post('/v3beta/kv/range', body)
  expect([range.status, JSON.parse(range.text)]).toMatchObject([200, { kvs: [{ key: 'Zm9v' }] }])
})

test('an empty body is an empty request', async () => {
  expect(await post('/v3/maintenance/status', '')).toMatchObject({ status: 200 })
})

test('a txn goes both ways', async () => {
  const key = base64('txn')
  const body = {
    compare: [{ key, target: 'VERSION', result: 'EQUAL', version: '0' }],
    success: [{ request_put: { key, value: base64('1') } }, { requestRange: { key } }],
  }
  const { text } = await post('/v3/kv/txn', body)
  const reply = JSON.parse(text)
  expect(reply.succeeded).toBe(true)
  expect(reply.responses.map((op: object) => Object.keys(op)[0])).toEqual([
    'response_put',
    'response_range',
  ])
})

test('ids keep all 64 bits', async () => {
  const ID = '9223372036854775807'
  expect(JSON.parse((await post('/v3/lease/grant', { ID, TTL: '60' })).text)).toMatchObject({
    ID,
    TTL: '60',
  })
  const revoked = await post('/v3/kv/lease/revoke', { ID: `-${ID}` })
  expect(revoked).toEqual({
    status: 404,
    text: '{"error":"etcdserver: requested lease not found","message":"etcdserver: requested lease not found","code":5}',
  })
})

const badBodies: Record<string, [string, string]> = {
  'text that is cut off': ['{"key":', 'unexpected EOF'],
  'text that is not JSON': ['{key}', "invalid character 'k' looking for beginning of object key"],
  'an array': ['[]', 'cannot unmarshal array into Go value of type map[string]json.RawMessage'],
  'a number for bytes': ['{"key":5}', 'cannot unmarshal number into Go value of type []uint8'],
  'text that is not base64': ['{"key":"%%%"}', 'illegal base64 data at input byte 0'],
  'an unknown enum value': [
    '{"sort_order":"UP"}',
    'unknown value "UP" for enum etcdserverpb.RangeRequest_SortOrder',
  ],
  'text for a number': ['{"limit":"many"}', "invalid character 'm' looking for beginning of value"],
  'a fraction': ['{"limit":1.5}', 'cannot unmarshal number 1.5 into Go value of type int64'],
  'a number past int64': [
    '{"limit":"9223372036854775808"}',
    'cannot unmarshal number 9223372036854775808 into Go value of type int64',
  ],
  'text for a flag': ['{"keys_only":"yes"}', 'cannot unmarshal string into Go value of type bool'],
}
for (const [what, [body, text]] of Object.entries(badBodies)) {
  test(`${what} is refused with 400 and code 3`, async () => {
    const answer = await post('/v3/kv/range', body)
    expect(answer.status).toBe(400)
    const error = JSON.parse(answer.text)
    expect(error).toEqual({ error: error.message, message: expect.stringContaining(text), code: 3 })
  })
}

test('two requests in one op and a txn nested too deep are refused', async () => {
  const key = base64('a')
  const both = { success: [{ request_put: { key }, request_range: { key } }] }
  expect((await post('/v3/kv/txn', both)).text).toContain('beside another of its kind')
  let deep: unknown = {}
  for (let i = 0; i < 200; i++) deep = { success: [{ request_txn: deep }] }
  expect((await post('/v3/kv/txn', deep)).text).toContain('exceeded max depth')
  const arrays = `{"key":${'['.repeat(100_000)}`
  expect((await post('/v3/kv/txn', arrays)).text).toContain('exceeded max depth')
})

test('errors of the store get the HTTP status of their code', async () => {
  expect(await post('/v3/kv/range', {})).toMatchObject({ status: 400 })
  expect((await post('/v3/kv/range', { key: 'YQ==', revision: '99999' })).text).toContain(
    '"code":11',
  )
})

test('other methods get 405, other paths 404, a body too large 429', async () => {
  const get = await fetch(`${server.url}/v3/kv/range`)
  expect([get.status, await get.text()]).toEqual([405, 'Method Not Allowed\n'])
  expect(await post('/v3/kv/nothing', {})).toEqual({ status: 404, text: 'Not Found\n' })
  const text = 'grpc: received message larger than max (2400008 vs. 2097152)'
  expect(await post('/v3/kv/put', { key: 'YQ==', value: 'A'.repeat(3_200_000) })).toEqual({
    status: 429,
    text: JSON.stringify({ error: text, message: text, code: 8 }),
  })
  const endless = await post('/v3/kv/put', `{"key":"${'A'.repeat(4_200_000)}`)
  expect(endless).toMatchObject({ status: 429, text: expect.stringContaining('larger than max') })
  expect(await post('/v3/kv/put', { key: 'YQ==', value: 'A'.repeat(1_000_000) })).toMatchObject({
    status: 200,
  })
})

test('a watch answers line by line until the client goes away', async () => {
  const stop = new AbortController()
  const response = await fetch(`${server.url}/v3/watch`, {
    method: 'POST',
    body: JSON.stringify({ create_request: { key: base64('w') } }),
    signal: stop.signal,
  })
  const lines: string[] = []
  const reading = (async () => {
    for await (const chunk of response.body ?? []) {
      lines.push(...Buffer.from(chunk).toString().trim().split('\n'))
    }
  })().catch((reason: unknown) => {
    // The end that this test makes.
    if (!stop.signal.aborted) throw reason
  })
  await waitFor(() => expect(lines).toHaveLength(1))
  await post('/v3/kv/put', { key: base64('w'), value: base64('1') })
  await waitFor(() => expect(lines).toHaveLength(2))
  const [created, event] = lines.map((line) => JSON.parse(line))
  expect(created.result.created).toBe(true)
  expect(event.result.events).toMatchObject([{ kv: { key: base64('w'), value: base64('1') } }])
  expect(event.result.events[0]).not.toHaveProperty('type')
  stop.abort()
  await reading
  await waitFor(() => expect(server.member.openStreams).toBe(0))
})

test('a stream that says nothing ends when its time is over', async () => {
  const ask = async (body: string): Promise<[number, unknown]> => {
    const headers = { 'grpc-timeout': '20m' }
    const response = await fetch(`${server.url}/v3/watch`, { method: 'POST', body, headers })
    return [response.status, await response.json()]
  }
  const message = 'context deadline exceeded'
  expect(await ask('{}')).toEqual([504, { error: message, message, code: 4 }])
  const error = { grpc_code: 4, http_code: 504, message, http_status: 'Gateway Timeout' }
  expect(await ask('')).toEqual([504, { error }])
  await waitFor(() => expect(server.member.openStreams).toBe(0))
})

test('keep-alives line by line are answered line by line', async () => {
  await post('/v3/lease/grant', { ID: '77', TTL: '60' })
  const { text } = await post('/v3/lease/keepalive', '{"ID":"77"}\n{"ID":"78"}\n')
  const results = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).result)
  expect(results.map(({ ID, TTL }) => [ID, TTL])).toEqual([
    ['77', '60'],
    ['78', undefined],
  ])
})
