// Watch streams of Balsa and of real etcd under the same random requests: each watch must be told the same, in the same order. How events
// are put together into responses is each server's own affair.
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { missing } from './tools.ts'

type Message = Readonly<Record<string, unknown>>
interface Server extends AsyncDisposable {
  readonly url: string
}
interface WatchResponse {
  readonly watch_id: string
  readonly created: boolean
  readonly canceled: boolean
  readonly compact_revision: string
  readonly cancel_reason: string
  readonly events: readonly Message[]
}

type WatchStream = grpc.ClientDuplexStream<Message, WatchResponse>

const folder = fileURLToPath(new URL('../packages/kv/proto/', import.meta.url))
const shape = {
  includeDirs: [folder],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
}
const { etcdserverpb } = grpc.loadPackageDefinition(loadSync('rpc.proto', shape)) as unknown as {
  etcdserverpb: Record<'KV' | 'Watch', grpc.ServiceClientConstructor>
}
const seed = Number(process.env['SEED'] ?? 20_261_121)

/** A small generator of chance: the same for a seed. */
function chanceOf(start: number): (below: number) => number {
  let state = start >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const barrierId = 1000
const timeoutMs = 20_000
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

/** One server: its KV and one watch stream, and what each watch of it was told. */
class Side {
  readonly #kv: grpc.Client
  readonly #watch: grpc.Client
  readonly #stream: WatchStream
  /** By watch id: created, canceled and events, one by one. */
  readonly told = new Map<string, unknown[]>()
  barriers = 0
  #asked = 0
  #answered = 0

  constructor(url: string) {
    const host = url.slice('http://'.length)
    this.#kv = new etcdserverpb.KV(host, grpc.credentials.createInsecure())
    this.#watch = new etcdserverpb.Watch(host, grpc.credentials.createInsecure())
    const open = (this.#watch as unknown as Record<string, () => unknown>)['Watch']
    this.#stream = open?.call(this.#watch) as WatchStream
    this.#stream.on('data', (response: WatchResponse) => this.#heard(response))
    this.#stream.on('error', () => this.#stream.destroy())
    this.send({ create_request: { key: bytes('barrier'), watch_id: barrierId } })
  }

  send(request: Message): void {
    if ('create_request' in request) this.#asked++
    this.#stream.write(request)
  }

  /** All that was sent has been looked at: requests are answered in their order, and this one is refused. */
  async taken(): Promise<void> {
    this.send({ create_request: { key: bytes('b'), range_end: bytes('a') } })
    const deadline = performance.now() + timeoutMs
    while (this.#answered < this.#asked && performance.now() < deadline) await pause()
    expect(this.#answered).toBe(this.#asked)
  }

  /** The reply, or the words of the refusal. */
  call(method: string, request: Message): Promise<unknown> {
    const unary = (this.#kv as unknown as Record<string, (...args: unknown[]) => void>)[method]
    return new Promise((resolve) => {
      unary?.call(this.#kv, request, (error: grpc.ServiceError | null, reply: Message) => {
        resolve(error === null ? (reply['header'] as Message)['revision'] : error.details)
      })
    })
  }

  close(): void {
    this.#stream.cancel()
    this.#kv.close()
    this.#watch.close()
  }

  #heard(response: WatchResponse): void {
    const { watch_id: id, created, canceled, events } = response
    if (created) this.#answered++
    if (id === String(barrierId)) {
      this.barriers += events.length
      return
    }
    const told = this.told.get(id) ?? []
    this.told.set(id, told)
    if (created || canceled) {
      const { compact_revision, cancel_reason } = response
      told.push({ created, canceled, compact_revision, cancel_reason })
    }
    for (const event of events) told.push(event)
  }
}

/** Polls until both were told the same; what differs, if they never are. */
async function settle(sides: readonly [Side, Side]): Promise<void> {
  await Promise.all(sides.map((side) => side.taken()))
  const expected = sides[0].barriers + 1
  await Promise.all(sides.map((side) => side.call('Put', { key: bytes('barrier') })))
  const deadline = performance.now() + timeoutMs
  const isEven = (): boolean =>
    sides[0].barriers === sides[1].barriers && isDeepStrictEqual(sides[0].told, sides[1].told)
  while ((sides[0].barriers < expected || !isEven()) && performance.now() < deadline) {
    await pause()
  }
  expect(Object.fromEntries(sides[1].told)).toEqual(Object.fromEntries(sides[0].told))
}

describe.skipIf(missing('etcd'))('watch streams', () => {
  let servers: readonly [Server, Server]
  beforeAll(async () => {
    servers = await Promise.all([startEtcd(), openBalsaMember()])
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  test.each(Array.from({ length: 6 }, (_, i) => seed + i))(
    'tell the same for seed %i',
    async (of) => {
      const chance = chanceOf(of)
      const sides: readonly [Side, Side] = [new Side(servers[0].url), new Side(servers[1].url)]
      const key = (): Buffer => bytes(`k${chance(6)}`)
      const both = async (method: string, request: Message): Promise<number> => {
        const [wanted, got] = await Promise.all(sides.map((side) => side.call(method, request)))
        expect(got, `${method} ${JSON.stringify(request)}`).toEqual(wanted)
        return Number(wanted)
      }
      let revision = await both('Put', { key: bytes('k0'), value: bytes('first') })
      let compacted = 0
      let roundStart = revision
      const ids: number[] = []
      const create = (): void => {
        const ends = ['', '', 'k3', 'k9', '\0', 'a'].map(bytes)
        const past = Math.max(compacted + 1, revision - 10)
        const gone = compacted > 1 ? compacted - 1 : revision
        const starts = [0, 0, revision, past, gone, revision + 3]
        const watch_id = chance(4) === 0 ? 1 + chance(30) : 0
        const request = {
          key: chance(8) === 0 ? Buffer.alloc(0) : key(),
          range_end: ends[chance(ends.length)],
          start_revision: starts[chance(starts.length)],
          filters: [[], [], ['NOPUT'], ['NODELETE']][chance(4)],
          prev_kv: chance(2) === 0,
          watch_id,
          fragment: chance(3) === 0,
        }
        if (watch_id !== 0) ids.push(watch_id)
        ids.push(chance(12))
        for (const side of sides) side.send({ create_request: request })
      }
      const write = async (): Promise<void> => {
        const value = bytes(`v${chance(100)}`)
        const put = { request_put: { key: bytes('k1'), value } }
        const remove = { request_delete_range: { key: bytes('k2'), range_end: bytes('k5') } }
        const at = chance(8)
        if (at < 4) revision = await both('Put', { key: key(), value })
        else if (at < 6)
          revision = await both('DeleteRange', { key: key(), range_end: bytes('k4') })
        else if (at < 7) revision = await both('Txn', { success: [put, remove] })
        else if (roundStart - 16 > compacted) {
          // Not so far that a watch of this round needs it: etcd's come up to date by and by, and may or may not have.
          compacted = roundStart - 12 - chance(4)
          await both('Compact', { revision: compacted })
        }
      }
      for (let round = 0; round < 8; round++) {
        roundStart = revision
        for (let i = 0; i < 4; i++) create()
        await settle(sides)
        for (let i = 0; i < 12; i++) await write()
        await settle(sides)
        const id = ids[chance(ids.length)]
        for (const side of sides) side.send({ cancel_request: { watch_id: id } })
        await settle(sides)
        revision = await both('Put', { key: key() })
      }
      expect(sides[0].told.size).toBeGreaterThan(5)
      for (const side of sides) side.close()
    },
  )
})
