// The Lock and the Election service: the same calls to real etcd and to Balsa must be answered the same, but for ids.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { waitFor } from './balsa-process.ts'
import { startEtcd } from './etcd-process.ts'
import { GrpcServices } from './grpc-services.ts'
import type { Reply, ServiceCallError } from './grpc-services.ts'
import { missing } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}
interface LeaderKey {
  readonly name: Buffer
  readonly key: Buffer
  readonly rev: string
  readonly lease: string
}
type Call = (method: string, request: object, signal?: AbortSignal) => Promise<unknown>

/** What may differ between two servers that behave the same: ids of members, clusters and leases. */
function mask(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString().replaceAll(/[0-9a-f]{9,16}$/g, 'LEASE')
  if (Array.isArray(value)) return value.map(mask)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]): [string, unknown] => {
      const isId = /^(cluster_id|member_id|raft_term|lease|ID)$/.test(name)
      if (isId) return [name, field === '0' ? '0' : 'ID']
      return [name, mask(field)]
    }),
  )
}

describe.skipIf(missing('etcd'))('the Lock and Election services', () => {
  let servers: Server[]
  let clients: GrpcServices[]
  beforeAll(async () => {
    servers = await Promise.all([startEtcd(), openBalsaMember()])
    clients = servers.map(({ url }) => new GrpcServices(url))
  })
  afterAll(async () => {
    for (const client of clients) client[Symbol.dispose]()
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  /** Plays the same scene with both servers; every answer and refusal must be the same. */
  async function same(
    scene: (call: Call, client: GrpcServices) => Promise<unknown>,
  ): Promise<unknown[]> {
    const plays = clients.map(async (client) => {
      const script: unknown[] = []
      const call: Call = async (method, request, signal) => {
        const line = script.push(method) - 1
        try {
          const reply = await client.unary(method, request, undefined, signal)
          // Calls may overlap: the script is compared in the order of the questions.
          script[line] = [method, mask(reply)]
          return reply
        } catch (reason) {
          const { code, details } = reason as ServiceCallError
          script[line] = [method, code, details]
          return undefined
        }
      }
      script.push(mask(await scene(call, client)))
      return script
    })
    const [expected, script] = await Promise.all(plays)
    expect(script).toEqual(expected)
    return script ?? []
  }
  const grant = async (client: GrpcServices): Promise<string> =>
    String((await client.unary('Lease.LeaseGrant', { TTL: 60 }))['ID'])
  const keysBelow = async (client: GrpcServices, prefix: string): Promise<unknown[]> => {
    const range = { key: Buffer.from(prefix), range_end: Buffer.from(`${prefix}\xff`, 'latin1') }
    return (await client.unary('KV.Range', range))['kvs'] as unknown[]
  }

  test('a lock is taken with and without a lease, again by the same lease, and given back', async () => {
    await same(async (call, client) => {
      const lease = await grant(client)
      const first = (await call('Lock.Lock', { name: Buffer.from('a'), lease })) as { key: Buffer }
      await call('Lock.Lock', { name: Buffer.from('a'), lease })
      await call('Lock.Unlock', { key: first.key })
      await call('Lock.Unlock', { key: first.key })
      await call('Lock.Lock', { name: Buffer.from('b') })
      return [await keysBelow(client, 'a/'), await keysBelow(client, 'b/')]
    })
  })

  test('bad requests are refused in the same words', async () => {
    await same(async (call, client) => {
      const lease = await grant(client)
      await call('Lock.Lock', { name: Buffer.from('x'), lease: '12345' })
      await call('Lock.Lock', { lease })
      await call('Lock.Unlock', {})
      await call('Election.Campaign', { name: Buffer.from('x'), lease: '12345' })
      await call('Election.Proclaim', { value: Buffer.from('x') })
      await call('Election.Resign', {})
      await call('Election.Leader', { name: Buffer.from('nobody') })
      const never = { name: Buffer.from('e'), key: Buffer.from('e/1'), rev: '3', lease }
      await call('Election.Proclaim', { leader: never, value: Buffer.from('x') })
      await call('Election.Resign', { leader: never })
      return undefined
    })
  })

  test('a second one waits for the lock, and has it when the first unlocks or its lease ends', async () => {
    await same(async (call, client) => {
      const leases = [await grant(client), await grant(client), await grant(client)]
      const name = Buffer.from('wait')
      const first = (await call('Lock.Lock', { name, lease: leases[0] })) as { key: Buffer }
      const second = call('Lock.Lock', { name, lease: leases[1] })
      await waitFor('the second in the queue', async () => {
        return (await keysBelow(client, 'wait/')).length === 2
      })
      const third = call('Lock.Lock', { name, lease: leases[2] })
      await waitFor('the third in the queue', async () => {
        return (await keysBelow(client, 'wait/')).length === 3
      })
      await call('Lock.Unlock', { key: first.key })
      await second
      await call('Lease.LeaseRevoke', { ID: leases[1] })
      await third
      return keysBelow(client, 'wait/')
    })
  })

  test('one who is gone while he waits gives his place up', async () => {
    await same(async (call, client) => {
      const [first, second] = [await grant(client), await grant(client)]
      const name = Buffer.from('gone')
      await call('Lock.Lock', { name, lease: first })
      const gone = new AbortController()
      const waiting = client.unary('Lock.Lock', { name, lease: second }, undefined, gone.signal)
      await waitFor('two in the queue', async () => {
        return (await keysBelow(client, 'gone/')).length === 2
      })
      gone.abort()
      await expect(waiting).rejects.toThrow('Cancelled')
      await waitFor('one in the queue', async () => {
        return (await keysBelow(client, 'gone/')).length === 1
      })
      return keysBelow(client, 'gone/')
    })
  })

  test('a campaign is won, proclaimed on, observed and resigned; the next candidate leads', async () => {
    await same(async (call, client) => {
      const name = Buffer.from('chief')
      const [first, second] = [await grant(client), await grant(client)]
      const seen: Reply[] = []
      const observe = client.serverStream('Election.Observe', { name })
      observe.on('data', (reply: Reply) => seen.push(reply))
      observe.on('error', () => 'cancelled at the end')
      const value = Buffer.from('first')
      const won = (await call('Election.Campaign', { name, lease: first, value })) as {
        leader: LeaderKey
      }
      await waitFor('the first leader', () => seen.length === 1)
      await call('Election.Leader', { name })
      await call('Election.Campaign', { name, lease: first, value: Buffer.from('again') })
      await waitFor('the new word', () => seen.length === 2)
      await call('Election.Proclaim', { leader: won.leader, value: Buffer.from('proclaimed') })
      await waitFor('the proclamation', () => seen.length === 3)
      const next = call('Election.Campaign', { name, lease: second, value: Buffer.from('second') })
      await waitFor('two candidates', async () => (await keysBelow(client, 'chief/')).length === 2)
      await call('Election.Resign', { leader: won.leader })
      await next
      await waitFor('the second leader', () => seen.length === 4)
      await call('Election.Proclaim', { leader: won.leader, value: Buffer.from('too late') })
      await call('Election.Resign', { leader: won.leader })
      observe.cancel()
      return [seen, await keysBelow(client, 'chief/')]
    })
  })

  // etcd 3.4 answers it as if it had the lock; 3.5 and later refuse it in these words.
  test('one whose lease ends while he waits for a lock is told that he does not have it', async () => {
    const client = clients[1]
    if (client === undefined) throw new Error('no client of Balsa')
    const [first, second] = [await grant(client), await grant(client)]
    const name = Buffer.from('lost')
    const { key } = await client.unary('Lock.Lock', { name, lease: first })
    const waiting = client.unary('Lock.Lock', { name, lease: second })
    const refused = expect(waiting).rejects.toMatchObject({
      code: 2,
      details: 'mutex: session is expired',
    })
    await waitFor('two in the queue', async () => (await keysBelow(client, 'lost/')).length === 2)
    await client.unary('Lease.LeaseRevoke', { ID: second })
    await client.unary('Lock.Unlock', { key })
    await refused
  })

  test('a candidate whose lease ends while it waits is told that it does not lead', async () => {
    const client = clients[1]
    if (client === undefined) throw new Error('no client of Balsa')
    const [first, second] = [await grant(client), await grant(client)]
    const name = Buffer.from('ghost')
    const won = await client.unary('Election.Campaign', { name, lease: first })
    const waiting = client.unary('Election.Campaign', { name, lease: second })
    const refused = expect(waiting).rejects.toMatchObject({ details: 'election: not leader' })
    await waitFor('two candidates', async () => (await keysBelow(client, 'ghost/')).length === 2)
    await client.unary('Lease.LeaseRevoke', { ID: second })
    await client.unary('Election.Resign', { leader: won['leader'] })
    await refused
  })

  test('one who waits over the gateway and goes gives his place up', async () => {
    for (const [index, client] of clients.entries()) {
      const [first, second] = [await grant(client), await grant(client)]
      const name = Buffer.from('web')
      await client.unary('Lock.Lock', { name, lease: first })
      const gone = new AbortController()
      const waiting = fetch(`${servers[index]?.url}/v3/lock/lock`, {
        method: 'POST',
        body: JSON.stringify({ name: name.toString('base64'), lease: second }),
        signal: gone.signal,
      })
      await waitFor('two in the queue', async () => (await keysBelow(client, 'web/')).length === 2)
      gone.abort()
      await expect(waiting).rejects.toThrow('aborted')
      await waitFor('one in the queue', async () => (await keysBelow(client, 'web/')).length === 1)
    }
  })

  test('the gateway answers the same JSON for all of them', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    const post = async (url: string, path: string, body: object): Promise<unknown> => {
      const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })
      const text = await answer.text()
      return [
        answer.status,
        text.replaceAll(/"(\w*_id|raft_term|lease|key|rev|\w*revision)":"[^"]+"/g, '"$1":"N"'),
      ]
    }
    const [expected, answers] = await Promise.all(
      servers.map(async ({ url }) => [
        await post(url, '/v3/lock/lock', { name: base64('json') }),
        await post(url, '/v3/lock/unlock', { key: base64('json/1') }),
        await post(url, '/v3/election/leader', { name: base64('json-e') }),
        await post(url, '/v3/election/campaign', { name: base64('json-e'), value: base64('me') }),
        await post(url, '/v3/election/leader', { name: base64('json-e') }),
        await post(url, '/v3/election/proclaim', {}),
        await post(url, '/v3/election/resign', {}),
        await post(url, '/v3/election/resign', {
          leader: { name: base64('json-e'), key: base64('json-e/1'), rev: '1', lease: '1' },
        }),
      ]),
    )
    expect(answers).toEqual(expected)
  })
})
