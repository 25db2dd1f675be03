// One seeded stream of requests to real etcd and to a member, through the JSON gateway of each: replies, HTTP statuses, errors and
// HashKV must be equal. Only ids and terms may differ.
import { Client, credentials } from '@grpc/grpc-js'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { startEtcd } from '../../../../test/etcd-process.ts'
import { missing } from '../../../../test/tools.ts'
import { decodeHashKvResponse, encodeHashKvRequest, type HashKvRequest } from '../proto/index.ts'
import type { HashKvResponse } from '../proto/messages.ts'
import { openMember } from './open-member.ts'

const seed = Number(process.env['SEED'] ?? 20261121)
const requestsCount = Number(process.env['OPS'] ?? 1500)
const hashEvery = 50
const watchedRequestsCount = 400

const isEtcdMissing = missing('etcd')

type Json = Record<string, unknown>
interface Request {
  readonly path: string
  readonly body: Json
}

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const keys = ['a', 'aa', 'b', 'b\xff', 'c', 'd', '\xff\xff']
const key = fc.constantFrom(...keys).map(base64)
const anyKey = fc.oneof({ weight: 30, arbitrary: key }, { weight: 1, arbitrary: fc.constant('') })
const end = fc.constantFrom('', '\0', 'b', 'c', 'zz').map(base64)
const value = fc.string({ maxLength: 3 }).map(base64)
const flag = fc.boolean()
const revision = fc.integer({ min: 0, max: 300 })
const bound = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: revision })
const lease = fc.constantFrom(0, 0, 0, 101, 102, 103)

const rangeBody = fc.record({
  key: anyKey,
  range_end: end,
  limit: fc.constantFrom(0, 0, 1, 2, 3),
  revision: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: revision }),
  sort_order: fc.integer({ min: 0, max: 2 }),
  sort_target: fc.constantFrom(0, 2, 3),
  keys_only: flag,
  count_only: fc.constantFrom(false, false, true),
  min_mod_revision: bound,
  max_mod_revision: bound,
  min_create_revision: bound,
  max_create_revision: bound,
})
const putBody = fc
  .record({ key: anyKey, value, lease, prev_kv: flag, rare: fc.nat({ max: 19 }) })
  .map(({ rare, ...body }) => {
    if (rare === 0) return { ...body, value: '', ignore_value: true }
    return rare === 1 ? { ...body, ignore_value: true, ignore_lease: true } : body
  })
const deleteBody = fc.record({ key: anyKey, range_end: end, prev_kv: flag })
const compare = fc
  .record({
    key,
    range_end: fc.constantFrom('', '', '', '\0', 'c').map(base64),
    result: fc.constantFrom('EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'),
    operand: fc.oneof(
      fc.record({ target: fc.constant('VERSION'), version: fc.nat({ max: 3 }) }),
      fc.record({ target: fc.constant('CREATE'), create_revision: fc.constantFrom(0, 2, 50) }),
      fc.record({ target: fc.constant('MOD'), mod_revision: revision }),
      fc.record({ target: fc.constant('VALUE'), value }),
      fc.record({ target: fc.constant('LEASE'), lease }),
    ),
  })
  .map(({ operand, ...rest }) => ({ ...rest, ...operand }))
const leafOp: fc.Arbitrary<Json> = fc.oneof(
  putBody.map((body) => ({ request_put: body })),
  deleteBody.map((body) => ({ request_delete_range: body })),
  rangeBody.map((body) => ({ request_range: body })),
)
const txnBody = (op: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.record({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(op, { maxLength: 3 }),
    failure: fc.array(op, { maxLength: 3 }),
  })
const nestedOp = fc.oneof(
  { weight: 5, arbitrary: leafOp },
  { weight: 1, arbitrary: txnBody(leafOp).map((body) => ({ request_txn: body })) },
)
const at = (path: string, body: fc.Arbitrary<Json>): fc.Arbitrary<Request> =>
  body.map((json) => ({ path, body: json }))
const leaseId = fc.constantFrom(101, 102, 103)

const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 8, arbitrary: at('kv/put', putBody) },
  { weight: 3, arbitrary: at('kv/deleterange', deleteBody) },
  { weight: 8, arbitrary: at('kv/range', rangeBody) },
  { weight: 8, arbitrary: at('kv/txn', txnBody(nestedOp)) },
  {
    weight: 1,
    arbitrary: at('kv/compaction', fc.record({ revision, physical: fc.constant(true) })),
  },
  { weight: 2, arbitrary: at('lease/grant', fc.record({ ID: leaseId, TTL: fc.constant(9000) })) },
  { weight: 1, arbitrary: at('lease/revoke', fc.record({ ID: leaseId })) },
  {
    weight: 2,
    arbitrary: at('lease/timetolive', fc.record({ ID: leaseId, keys: fc.constant(true) })),
  },
)

async function send(url: string, { path, body }: Request): Promise<Json> {
  const init = { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`${url}/v3/${path}`, init)
  return { httpStatus: response.status, ...((await response.json()) as Json) }
}

/** Ids and terms differ between two clusters, TTLs with the time between two requests. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  const hidden = new Set(['cluster_id', 'member_id', 'raft_term'])
  const entries = Object.entries(value).filter(([name]) => !hidden.has(name))
  return Object.fromEntries(
    entries.map(([name, inner]) => {
      if (name === 'TTL') return [name, 'masked']
      // The keys of a lease come in no order.
      const isKeys = name === 'keys' && Array.isArray(inner)
      return [name, isKeys ? inner.map(String).sort() : masked(inner)]
    }),
  )
}

test.skipIf(isEtcdMissing)(
  'real etcd and a member answer the same requests alike and have the same HashKV',
  async () => {
    const etcd = await startEtcd()
    const member = await openMember({ memory: true, listenClientUrls: ['http://127.0.0.1:0'] })
    const [url = ''] = member.clientUrls
    try {
      const requests = fc.sample(request, { seed, numRuns: requestsCount })
      for (const [i, one] of requests.entries()) {
        if (i % hashEvery === hashEvery - 1) {
          const [theirs, ours] = await Promise.all([hashKv(etcd.url), hashKv(url)])
          expect(ours, `HashKV after request ${i}, seed ${seed}`).toEqual(theirs)
        }
        const [theirs, ours] = await Promise.all([send(etcd.url, one), send(url, one)])
        const what = `request ${i}, seed ${seed}: ${one.path} ${JSON.stringify(one.body)}`
        expect(masked(ours), what).toEqual(masked(theirs))
      }
    } finally {
      await member.close()
      await etcd[Symbol.asyncDispose]()
    }
  },
  120_000,
)

test.skipIf(isEtcdMissing)(
  'real etcd and a member tell watchers the same events, live and from history',
  async () => {
    const etcd = await startEtcd()
    const member = await openMember({ memory: true, listenClientUrls: ['http://127.0.0.1:0'] })
    const urls = [etcd.url, member.clientUrls[0] ?? '']
    const watches: Json[] = [
      { key: base64('\0'), range_end: base64('\0'), prev_kv: true },
      { key: base64('a'), range_end: base64('c') },
      { key: base64('b'), filters: ['NODELETE'], prev_kv: true },
      { key: base64('a'), range_end: base64('\0'), filters: ['NOPUT'] },
    ]
    try {
      const open = (body: Json): Promise<EventReader>[] =>
        urls.map((url) => EventReader.open(url, body))
      const readers = await Promise.all(watches.flatMap(open))
      const writes = fc
        .sample(request, { seed: seed + 1, numRuns: watchedRequestsCount })
        .filter(({ path }) => path !== 'kv/compaction' && path !== 'kv/range')
      for (const one of writes) await Promise.all(urls.map((url) => send(url, one)))
      const late = watches.map((body, i) => ({ ...body, start_revision: 2 + i * 7 }))
      readers.push(...(await Promise.all(late.flatMap(open))))
      // Every watch sees 'b' come or go: so it is known where each stream ends.
      const last = { put: 0, delete: 0 }
      for (const url of urls) {
        const body = { key: base64('b'), value: base64('last') }
        last.put = revisionOf(await send(url, { path: 'kv/put', body }))
        last.delete = revisionOf(
          await send(url, { path: 'kv/deleterange', body: { key: body.key } }),
        )
      }
      for (let i = 0; i < readers.length; i += 2) {
        const pair = readers.slice(i, i + 2)
        const [theirs, ours] = await Promise.all(pair.map((reader) => reader.read(last)))
        expect(theirs?.length).toBeGreaterThan(2)
        expect(ours, `watch ${i / 2}, seed ${seed}`).toEqual(theirs)
      }
    } finally {
      await member.close()
      await etcd[Symbol.asyncDispose]()
    }
  },
  120_000,
)

/** The events of a watch through the gateway, up to the one that ends the test. */
class EventReader {
  readonly #lines: AsyncIterator<Json>
  readonly #filters: unknown

  private constructor(lines: AsyncIterator<Json>, filters: unknown) {
    this.#lines = lines
    this.#filters = filters
  }

  /** Resolves when the watch stands. */
  static async open(url: string, create: Json): Promise<EventReader> {
    const body = JSON.stringify({ create_request: create })
    const response = await fetch(`${url}/v3/watch`, { method: 'POST', body })
    if (response.body === null) throw new Error('The watch has no answer')
    const reader = new EventReader(
      linesOf(response.body)[Symbol.asyncIterator](),
      create['filters'],
    )
    await reader.#lines.next()
    return reader
  }

  /** Up to the last put of a watch without deletes, to the last delete of another. */
  async read(last: { put: number; delete: number }): Promise<Json[]> {
    const hasDeletes = !Array.isArray(this.#filters) || !this.#filters.includes('NODELETE')
    const end = hasDeletes ? last.delete : last.put
    const events: Json[] = []
    while (Number((events.at(-1)?.['kv'] as Json | undefined)?.['mod_revision'] ?? 0) < end) {
      const line = await this.#lines.next()
      if (line.done === true) break
      const result = line.value['result'] as { events?: Json[] } | undefined
      events.push(...(result?.events ?? []))
    }
    await this.#lines.return?.()
    return events
  }
}

function revisionOf(response: Json): number {
  return Number((response['header'] as Json)['revision'])
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<Json> {
  let rest = ''
  for await (const chunk of body) {
    const parts = (rest + Buffer.from(chunk).toString('latin1')).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part !== '') yield JSON.parse(part) as Json
  }
}

/** By gRPC, since the gateway of etcd 3.4 has no HashKV. */
async function hashKv(url: string): Promise<{ hash: number; compactRevision: number }> {
  const client = new Client(new URL(url).host, credentials.createInsecure())
  try {
    const response = await new Promise<HashKvResponse>((resolve, reject) => {
      client.makeUnaryRequest(
        '/etcdserverpb.Maintenance/HashKV',
        (request: HashKvRequest) => Buffer.from(encodeHashKvRequest(request)),
        decodeHashKvResponse,
        { revision: 0 },
        (error, value) =>
          value === undefined ? reject(error ?? new Error('No answer')) : resolve(value),
      )
    })
    return { hash: response.hash, compactRevision: response.compactRevision }
  } finally {
    client.close()
  }
}
