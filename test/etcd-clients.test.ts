// Other programs' clients against Balsa: npm etcd3, the usual gRPC library with our proto files, and h2load.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Etcd3, EtcdLeaseInvalidError } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import type { BalsaMember } from './balsa-member.ts'
import { missing, tools } from './tools.ts'

type Unary = (
  request: object,
  done: (error: Error | null, reply: Record<string, unknown>) => void,
) => void

let balsa: BalsaMember
beforeAll(async () => {
  balsa = await openBalsaMember()
})
afterAll(() => balsa[Symbol.asyncDispose]())

describe('npm etcd3', () => {
  let client: Etcd3
  beforeAll(() => {
    client = new Etcd3({ hosts: balsa.url })
  })
  afterAll(() => client.close())

  test('puts, gets and deletes in every form', async () => {
    await client.put('foo').value('bar')
    expect(await client.get('foo').string()).toBe('bar')
    expect(await client.get('missing').string()).toBeNull()
    await client.put('n').value(12)
    expect(await client.get('n').number()).toBe(12)
    await client.put('j').value(JSON.stringify({ a: 1 }))
    expect(await client.get('j').json()).toEqual({ a: 1 })
    for (const name of ['1', '2', '3']) await client.put(`all/${name}`).value(name)
    expect(await client.getAll().prefix('all/').strings()).toEqual({
      'all/1': '1',
      'all/2': '2',
      'all/3': '3',
    })
    expect(await client.getAll().prefix('all/').sort('Key', 'Descend').limit(2).keys()).toEqual([
      'all/3',
      'all/2',
    ])
    expect(await client.getAll().prefix('all/').count()).toBe(3)
    const deleted = await client.delete().prefix('all/').getPrevious()
    expect(deleted.map((pair) => pair.value.toString())).toEqual(['1', '2', '3'])
    expect(await client.namespace('ns/').put('k').value('v').exec()).toBeDefined()
    expect(await client.get('ns/k').string()).toBe('v')
  })

  test('transactions take the right branch', async () => {
    await client.put('t').value('1')
    const won = await client
      .if('t', 'Value', '==', '1')
      .then(client.put('t').value('2'), client.get('t'))
      .else(client.get('foo'))
      .commit()
    expect(won.succeeded).toBe(true)
    const lost = await client.if('t', 'Value', '==', '1').then(client.put('t').value('3')).commit()
    expect(lost.succeeded).toBe(false)
    expect(await client.get('t').string()).toBe('2')
    await client.stm().transact(async (tx) => {
      const value = await tx.get('t').string()
      await tx.put('t').value(`${value}!`)
    })
    expect(await client.get('t').string()).toBe('2!')
  })

  test('watches see puts and deletes, from now and from a revision, until cancelled', async () => {
    const { header } = await client.put('w/0').value('before')
    const watcher = await client.watch().prefix('w/').startRevision(header.revision).create()
    const events: string[] = []
    watcher.on('put', (pair) => events.push(`put ${pair.key.toString()}`))
    watcher.on('delete', (pair) => events.push(`delete ${pair.key.toString()}`))
    await client.put('w/1').value('x')
    await client.delete().key('w/1')
    await expect
      .poll(() => events, { timeout: 30_000 })
      .toEqual(['put w/0', 'put w/1', 'delete w/1'])
    await watcher.cancel()
    const other = await client.watch().key('w/2').create()
    const next = new Promise<string>((resolve) =>
      other.on('put', (pair) => resolve(pair.value.toString())),
    )
    await client.put('w/2').value('now')
    expect(await next).toBe('now')
    await other.cancel()
    expect(events).toHaveLength(3)
  })

  test('leases are granted, kept alive and revoked', async () => {
    const lease = client.lease(60)
    await lease.put('leased').value('x')
    expect(await client.get('leased').string()).toBe('x')
    await lease.keepaliveOnce()
    const times = await client.leaseClient.leaseTimeToLive({ ID: await lease.grant(), keys: true })
    expect([times.grantedTTL, times.keys.map(String)]).toEqual(['60', ['leased']])
    await lease.revoke()
    expect(await client.get('leased').string()).toBeNull()
    await expect(lease.put('again').value('y').exec()).rejects.toThrow(EtcdLeaseInvalidError)
  })

  test('locks exclude and elections elect', async () => {
    const lock = await client.lock('mutex').ttl(30).acquire()
    await expect(client.lock('mutex').ttl(30).acquire()).rejects.toThrow('Failed to acquire a lock')
    await lock.release()
    await (await client.lock('mutex').ttl(30).acquire()).release()
    const election = client.election('chief', 30)
    const campaign = election.campaign('me')
    await new Promise((resolve) => campaign.once('elected', resolve))
    expect(await election.leader()).toBe('me')
    await campaign.resign()
  })

  test('members and status are told', async () => {
    const status = await client.maintenance.status()
    expect(status.version).toMatch(/^3\./)
    const { members } = await client.cluster.memberList({})
    expect(members.map(({ ID }) => ID)).toEqual([status.leader])
  })
})

test('the usual gRPC library with our proto files can use every service', async () => {
  const folder = fileURLToPath(new URL('../packages/kv/proto/', import.meta.url))
  const definition = loadSync('rpc.proto', { includeDirs: [folder], keepCase: true, longs: String })
  const { etcdserverpb } = grpc.loadPackageDefinition(definition) as unknown as {
    etcdserverpb: Record<string, grpc.ServiceClientConstructor>
  }
  const host = balsa.url.slice('http://'.length)
  const Kv = etcdserverpb['KV']
  if (Kv === undefined) throw new Error('the proto files have no KV service')
  const kv = new Kv(host, grpc.credentials.createInsecure())
  const call = (method: string, request: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const unary = (kv as unknown as Record<string, Unary>)[method]
      unary?.call(kv, request, (error, reply) => (error === null ? resolve(reply) : reject(error)))
    })
  const value = Buffer.alloc(1_000_000, 'v')
  await call('Put', { key: Buffer.from('big'), value })
  const range = await call('Range', { key: Buffer.from('big') })
  expect((range['kvs'] as { value: Buffer }[])[0]?.value.equals(value)).toBe(true)
  const tooLarge = call('Put', { key: Buffer.from('big'), value: Buffer.alloc(1_600_000) })
  await expect(tooLarge).rejects.toMatchObject({ details: 'etcdserver: request is too large' })
  await expect(call('Put', { key: Buffer.from('k'), ignore_value: true })).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: 'etcdserver: key not found',
  })
  kv.close()
})

describe.skipIf(missing('h2load'))('h2load', () => {
  test('gets every one of its puts answered, and they are all there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'balsa-h2load-'))
    const body = join(folder, 'put.bin')
    const message = Buffer.from([0x0a, 4, ...Buffer.from('load'), 0x12, 2, ...Buffer.from('ok')])
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    writeFileSync(body, Buffer.concat([prefix, message]))
    const requests = 20_000
    const shape = ['-n', String(requests), '-c', '20', '-m', '50', '-t', '1']
    const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
    const url = `${balsa.url}/etcdserverpb.KV/Put`
    const run = await promisify(execFile)(tools.h2load ?? 'h2load', [
      ...shape,
      ...headers,
      '-d',
      body,
      url,
    ])
    rmSync(folder, { recursive: true })
    expect(run.stdout).toContain(`${requests} succeeded, 0 failed, 0 errored, 0 timeout`)
    const client = new Etcd3({ hosts: balsa.url })
    const { kvs } = await client.get('load').exec()
    expect(kvs.map((pair) => [pair.value.toString(), pair.version])).toEqual([['ok', '20000']])
    client.close()
  })
})
