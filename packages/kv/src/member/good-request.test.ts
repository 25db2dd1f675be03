// What requests mean and are refused with before anybody is asked; what etcd 3.4 does over gRPC is the yardstick.
import { expect, test } from 'vitest'
import { encodeAuthRequest, encodePutRequest, encodeTxnRequest } from '../proto/index.ts'
import { encodeMessage } from '../proto/wire/message-codec.ts'
import { putRequestOf, rangeRequestOf } from '../client/convert.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { MemberView } from './auth/member-view.ts'
import { ask, openTestMember, type TestMember } from './testing/test-member.ts'

/** Field 2 of a range, field 2 of a delete, field 64 of a compare: there, and empty. */
const emptyEnd = Uint8Array.of(0x12, 0)
const emptyCompareEnd = Uint8Array.of(0x82, 0x04, 0)
const key = Uint8Array.of(0x0a, 1, 0x62)

function field(tag: number, content: Uint8Array): Uint8Array {
  return Uint8Array.of(tag, content.length, ...content)
}

async function enableAuth(core: TestMember['core']): Promise<void> {
  const call = (name: 'userAdd' | 'userGrantRole' | 'enable', body: Uint8Array): Promise<object> =>
    ask((done) => core.auth.call(name, body, done))
  await call('userAdd', encodeAuthRequest('AuthUserAddRequest', { name: 'root', password: 'r' }))
  const grant = { user: 'root', role: 'root' }
  await call('userGrantRole', encodeAuthRequest('AuthUserGrantRoleRequest', grant))
  await call('enable', encodeMessage('AuthEnableRequest', {}))
}

async function withThreeKeys(): Promise<TestMember> {
  const member = await openTestMember()
  const kv = new EmbeddedKv(member.core)
  for (const name of ['a', 'b', 'c']) await kv.put(name, 'x')
  return member
}

test('a range end that is given and empty is everything from key on, where the log is not asked', async () => {
  const { core } = await withThreeKeys()
  const range = Uint8Array.of(...key, ...emptyEnd)
  expect((await ask(core.range.bind(core, range))).count).toBe(2)
  expect((await ask(core.range.bind(core, key))).count).toBe(1)
  const readOnly = field(0x12, field(0x0a, range))
  const response = await ask(core.txn.bind(core, readOnly))
  expect(response.responses).toMatchObject([{ type: 'range', response: { count: 2 } }])
})

test('what goes through the log has no range end that is given and empty', async () => {
  const { core } = await withThreeKeys()
  const range = Uint8Array.of(...key, ...emptyEnd)
  const put = field(0x12, field(0x12, encodePutRequest(putRequestOf('z', 'x'))))
  const write = Uint8Array.of(...put, ...field(0x12, field(0x0a, range)))
  const response = await ask(core.txn.bind(core, write))
  expect(response.responses).toMatchObject([{}, { type: 'range', response: { count: 1 } }])
  expect((await ask(core.deleteRange.bind(core, range))).deleted).toBe(1)
})

test('a compare of a txn that only reads takes a given and empty end as everything from key on', async () => {
  const { core } = await withThreeKeys()
  const compare = (mod: number, ...end: number[]): Uint8Array =>
    field(0x0a, Uint8Array.of(0x10, 2, 0x1a, 1, 0x62, 0x30, mod, ...end))
  const isTrue = async (body: Uint8Array): Promise<boolean> =>
    (await ask(core.txn.bind(core, body))).succeeded
  // b has revision 3, c has 4.
  expect(await isTrue(compare(3))).toBe(true)
  expect(await isTrue(compare(3, ...emptyCompareEnd))).toBe(false)
})

test('what is wrong with a request is told before its token is looked at', async () => {
  const { core } = await openTestMember()
  await enableAuth(core)
  const view = new MemberView(core, { token: 'unknown.1' })
  const good = encodePutRequest(putRequestOf('a', 'x'))
  const txn = { compare: [], success: [undefined], failure: [] }
  const range = encodeMessage('RangeRequest', rangeRequestOf({ key: '' }))
  await expect(ask(view.put.bind(view, good))).rejects.toMatchObject({ code: 'INVALID_AUTH_TOKEN' })
  for (const [asked, code] of [
    [view.put.bind(view, encodePutRequest(putRequestOf('', 'x'))), 'EMPTY_KEY'],
    [view.range.bind(view, range), 'EMPTY_KEY'],
    [view.deleteRange.bind(view, new Uint8Array(0)), 'EMPTY_KEY'],
    [view.txn.bind(view, encodeTxnRequest(txn)), 'KEY_NOT_FOUND'],
  ] as const) {
    await expect(ask<unknown>(asked)).rejects.toMatchObject({ code })
  }
})

test('to look at users a stranger is the one without a name, as in etcd', async () => {
  const { core } = await openTestMember()
  await enableAuth(core)
  const look = async (name: string): Promise<unknown> => {
    const body = encodeAuthRequest('AuthUserGetRequest', { name })
    return ask((done) => new MemberView(core, {}).auth.call('userGet', body, done))
  }
  await expect(look('')).rejects.toMatchObject({ code: 'USER_NOT_FOUND' })
  await expect(look('root')).rejects.toMatchObject({ code: 'USER_EMPTY' })
})

test('an alarm of no member in particular, and a hash of what was before all', async () => {
  const { core } = await withThreeKeys()
  const raise = encodeMessage('AlarmRequest', { action: 1, memberId: 0n, alarm: 1 })
  await ask(core.maintenance.alarm.bind(core.maintenance, raise))
  expect(core.status().errors).toEqual(['alarm:NOSPACE '])
  // Read from real etcd 3.4.23.
  expect((await ask(core.hashKv.bind(core, -1))).hash).toBe(1084519789)
})
