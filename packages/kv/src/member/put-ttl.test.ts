// A put with a TTL is one entry of the log: key and lease come together or not at all.
import { expect, test } from 'vitest'
import { stranger } from '../auth/caller.ts'
import { encodePutRequest, encodeTxnRequest } from '../proto/index.ts'
import type { PutRequest } from '../proto/messages.ts'
import { encodeCommand } from './command.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { ask, openTestMember } from './testing/test-member.ts'

const request: PutRequest = {
  key: Buffer.from('a'),
  value: Buffer.from('1'),
  lease: 0n,
  prevKv: false,
  ignoreValue: false,
  ignoreLease: false,
  ttlSeconds: 30,
}

test('one command grants the lease and puts the key on it; the same again grants no other', async () => {
  const { stateMachine } = await openTestMember()
  const { lessor } = stateMachine
  const put = encodeCommand('put', encodePutRequest({ ...request, lease: 7n }), stranger)
  stateMachine.apply({ index: 1, term: 1, commands: [put] })
  const grantedAndKeys = (): unknown => {
    const { grantedTtlSeconds, keys } = lessor.timeToLive(7n, 0) ?? {}
    return { size: lessor.size, grantedTtlSeconds, keys }
  }
  const expected = { size: 1, grantedTtlSeconds: 30, keys: ['a'] }
  expect(grantedAndKeys()).toEqual(expected)
  stateMachine.apply({ index: 2, term: 1, commands: [put] })
  expect(grantedAndKeys()).toEqual(expected)
})

test('a put that is refused leaves no lease behind', async () => {
  const { stateMachine } = await openTestMember()
  const refused = [
    { ...request, lease: 7n, ignoreValue: true, value: Buffer.alloc(0) },
    { ...request, lease: 7n, ttlSeconds: 1e10 },
  ].map((put) => encodeCommand('put', encodePutRequest(put), stranger))
  const results = stateMachine.apply({ index: 1, term: 1, commands: refused })
  expect(results).toMatchObject([{ code: 'KEY_NOT_FOUND' }, { code: 'LEASE_TTL_TOO_LARGE' }])
  expect([stateMachine.lessor.size, stateMachine.store.revision]).toEqual([0, 1])
})

test('the member names the lease where the request does not; in a transaction it is refused', async () => {
  const { core } = await openTestMember()
  await ask((done) => core.put(encodePutRequest(request), done))
  const kv = new EmbeddedKv(core)
  const [lease = 0n, ...others] = await kv.leases()
  expect(others).toEqual([])
  expect((await kv.get('a'))?.lease).toBe(lease)
  const txn = encodeTxnRequest({ compare: [], success: [{ type: 'put', request }], failure: [] })
  await expect(ask((done) => core.txn(txn, done))).rejects.toMatchObject({ code: 'UNIMPLEMENTED' })
})
