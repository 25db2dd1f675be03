// The examples of packages/kv/README.md: what stands there between two fences is what is compiled and run here.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openMember, type Kv, type Member } from '@balsa/kv'
import {
  Collection,
  connect,
  follow,
  json,
  namespaced,
  openSession,
  pairs,
  text,
  type Session,
} from '@balsa/kv/client'
import {
  acquirePermit,
  discover,
  enterTogether,
  openView,
  Queue,
  readLock,
  register,
  stayCandidate,
  transact,
  withLock,
} from '@balsa/kv/recipes'
import { afterAll, beforeAll, expect, test } from 'vitest'

let member: Member
let kv: Kv
let session: Session
beforeAll(async () => {
  member = await openMember({ memory: true, listenClientUrls: ['http://127.0.0.1:0'] })
  kv = member.kv
  session = await openSession(kv)
})
afterAll(async () => {
  await session.close()
  await member.close()
})

async function readExamples(document: string): Promise<string[]> {
  const path = fileURLToPath(new URL(`../packages/kv/${document}`, import.meta.url))
  const fences = (await readFile(path, 'utf8')).matchAll(/```ts\n([\s\S]*?)```/g)
  return [...fences].map((match) => match[1] ?? '')
}

async function readBlock(name: string): Promise<string> {
  const source = await readFile(fileURLToPath(import.meta.url), 'utf8')
  const block = new RegExp(`^( *)// begin ${name}\\n([\\s\\S]*?)^ *// end ${name}\\n`, 'm').exec(
    source,
  )
  const [, indent = '', body = ''] = block ?? []
  return body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
}

test('every block of this file stands in the README as it is', async () => {
  const examples = await readExamples('README.md')
  for (const name of ['client', 'once', 'collection', 'ranges', 'recipes', 'transaction', 'view']) {
    const block = await readBlock(name)
    expect(block, name).not.toBe('')
    expect(examples.join('\n'), name).toContain(block)
  }
})

test('a client, with signals and a time to live', async () => {
  const endpoints = member.clientUrls
  // begin client
  await using client = await connect({ endpoints }) // the native wire, or gRPC: to Balsa and to etcd
  const signal = AbortSignal.timeout(2000) // every call takes one
  await client.put('greeting', 'hello', { ttlSeconds: 60, signal }) // gone after a minute
  const team = namespaced(client, 'team/red/') // a Kv that sees its own keys only
  await team.put('greeting', 'hi')
  // end client
  expect(text.decode((await client.get('team/red/greeting'))?.value ?? new Uint8Array(0))).toBe(
    'hi',
  )
  expect((await client.get('greeting'))?.lease).not.toBe(0n)
})

test('a session', async () => {
  // begin once
  await using session = await openSession(kv, { ttlSeconds: 30 }) // a lease, kept alive until it is closed
  await kv.put('workers/a', 'here', { lease: session.id }) // gone soon after this program is
  await session.once.put('orders/17', 'paid') // applied once, however often the connection breaks
  session.lost.addEventListener('abort', () => undefined) // what the session held is no longer held
  // end once
  expect((await kv.get('orders/17'))?.version).toBe(1)
})

test('a collection', async () => {
  const names = new Map<string, string>()
  // begin collection
  const users = new Collection(kv, 'users/', json<{ name: string; logins: number }>())
  await users.put('17', { name: 'Ann', logins: 0 })
  await users.update('17', (user) => user && { ...user, logins: user.logins + 1 }) // nobody's write is lost
  for await (const { key, value } of users.list()) names.set(key, value.name)
  // end collection
  expect([...names]).toEqual([['17', 'Ann']])
  expect((await users.get('17'))?.value.logins).toBe(1)
})

test('ranges and watches', async () => {
  const { revision } = await kv.put('log/1', 'first')
  await kv.put('log/2', 'second')
  const seen: string[] = []
  // begin ranges
  for await (const { key } of pairs(kv, { prefix: 'log/' })) seen.push(text.decode(key)) // in pages of one revision
  for await (const { events } of follow(kv, { prefix: 'log/', startRevision: revision })) {
    for (const { type, kv: pair } of events) seen.push(`${type} ${text.decode(pair.value)}`)
    if (seen.length >= 4) break // a lost connection is no end: the watch goes on where it was
  }
  // end ranges
  expect(seen).toEqual(['log/1', 'log/2', 'put first', 'put second'])
})

test('the recipes', async () => {
  const done: string[] = []
  const over = new AbortController()
  const lead = async (): Promise<void> => {
    done.push('led')
    over.abort()
    await Promise.resolve()
  }
  const { signal } = over
  // begin recipes
  await withLock(session, 'locks/report', async ({ isMine }) => {
    // A program that slept too long writes nothing: the condition does not hold any more.
    await kv.txn({ if: [isMine], then: [{ op: 'put', key: 'report', value: 'mine' }] })
  })
  await using permit = await acquirePermit(session, 'permits', 3) // one of three
  await using reading = await readLock(session, 'table') // beside writeLock(session, 'table')
  await using together = await enterTogether(session, 'start', 1) // a double barrier for one
  const queue = new Queue(kv, 'jobs')
  await queue.push('write mail', { priority: 5 })
  const job = await queue.claim(session) // comes back if this program ends before done()
  await job.done()
  await stayCandidate(kv, { name: 'leader', value: 'a', signal }, lead) // lead({ token, isMine, lost })
  // end recipes
  done.push(...[permit, reading].map(({ token }) => String(token > 0)))
  await together.leave()
  expect([done, await queue.size()]).toEqual([['led', 'true', 'true'], 0])
  expect((await kv.get('report'))?.version).toBe(1)
})

test('a transaction', async () => {
  for (const account of ['accounts/a', 'accounts/b']) await kv.put(account, '100')
  // begin transaction
  await transact(kv, async (tx) => {
    const balance = Number(text.decode((await tx.get('accounts/a')) ?? text.encode('0')))
    tx.put('accounts/a', String(balance - 10))
    tx.put('accounts/b', String(balance + 10))
  }) // runs again until nothing it read was changed by others
  // end transaction
  expect(text.decode((await kv.get('accounts/b'))?.value ?? new Uint8Array(0))).toBe('110')
})

test('a view and discovery', async () => {
  await kv.put('config/color', '"green"')
  // begin view
  await using config = await openView(kv, 'config/', json<string>()) // in memory, kept up to date
  const color = config.get('color')?.value
  await using mine = await register(session, 'services/mail', { address: '10.0.0.1:25' })
  await using mail = await discover(kv, 'services/mail')
  const addresses = [...mail.entries()].map(({ value }) => value.address)
  // end view
  expect([color, addresses, mine.lost.aborted]).toEqual(['green', ['10.0.0.1:25'], false])
})
