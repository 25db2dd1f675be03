import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openFakeListener } from '../testing/fake-listener.ts'
import type { FakeListener } from '../testing/fake-listener.ts'

let server: FakeListener
beforeAll(async () => {
  server = await openFakeListener()
})
afterAll(() => server.listener.close())
beforeEach(() => {
  server.member.leaderId = 7n
  server.member.raised = []
})

async function get(path: string, method = 'GET'): Promise<[number, string]> {
  const response = await fetch(server.url + path, { method })
  return [response.status, await response.text()]
}

test('a healthy member says so', async () => {
  expect(await get('/health')).toEqual([200, '{"health":"true","reason":""}'])
  expect(await get('/health?serializable=true')).toEqual([200, '{"health":"true","reason":""}'])
  expect(await get('/livez')).toEqual([200, 'ok\n'])
  expect(await get('/readyz')).toEqual([200, 'ok\n'])
})

test('an alarm and a missing leader make it unhealthy, unless excluded', async () => {
  server.member.raised = [{ memberId: 7n, alarm: 1 }]
  expect(await get('/health')).toEqual([503, '{"health":"false","reason":"ALARM NOSPACE"}\n'])
  expect(await get('/health?exclude=NOSPACE')).toMatchObject([200, expect.any(String)])
  server.member.raised = []
  server.member.leaderId = 0n
  expect(await get('/health')).toEqual([503, '{"health":"false","reason":"RAFT NO LEADER"}\n'])
  expect(await get('/health?serializable=true')).toMatchObject([200, expect.any(String)])
})

test('a corrupt member is alive but not ready, and verbose says which check failed', async () => {
  server.member.raised = [{ memberId: 7n, alarm: 2 }]
  expect(await get('/livez')).toEqual([200, 'ok\n'])
  const [status, text] = await get('/readyz?verbose')
  expect(status).toBe(503)
  expect(text.split('\n')).toEqual([
    '[-]data_corruption failed: alarm activated: CORRUPT',
    '[+]serializable_read ok',
    '[+]linearizable_read ok',
    '[+]non_learner ok',
    '',
    '',
  ])
  expect(await get('/readyz/data_corruption')).toMatchObject([503, expect.any(String)])
  expect(await get('/readyz/non_learner?verbose')).toEqual([200, '[+]non_learner ok\nok\n'])
  expect(await get('/livez/serializable_read')).toEqual([200, 'ok\n'])
  expect(await get('/livez/data_corruption')).toMatchObject([404, expect.any(String)])
  expect(await get('/readyz?exclude=data_corruption')).toEqual([200, 'ok\n'])
})

test('version and metrics are there, other paths and methods are refused', async () => {
  const version = '{"etcdserver":"3.6.1","etcdcluster":"3.6.0","storage":"3.6.0"}'
  expect(await get('/version')).toEqual([200, version])
  expect((await get('/metrics'))[1]).toContain('etcd_server_has_leader 1')
  expect(await get('/nothing')).toEqual([404, '404 page not found\n'])
  expect(await get('/version', 'POST')).toEqual([405, 'Method Not Allowed\n'])
  expect(await get('/version', 'HEAD')).toEqual([405, ''])
  expect(await get('/metrics', 'HEAD')).toEqual([200, ''])
  expect((await get('/metrics'))[1]).toMatch(/^etcd_server_health_success \d+$/m)
  const vars: unknown = JSON.parse((await get('/debug/vars'))[1])
  expect(vars).toMatchObject({ 'raft.status': { id: '7', raftState: 'StateLeader', lead: '7' } })
})
