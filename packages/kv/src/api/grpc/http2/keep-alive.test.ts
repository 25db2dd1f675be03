import { expect, test } from 'vitest'
import { defaultLimits, type Limits } from '../../../limits.ts'
import { listenClients } from '../../client-listener.ts'
import { FakeMember } from '../../testing/fake-member.ts'
import { frame, RawHttp2Client } from '../../testing/raw-http2-client.ts'
import { waitFor } from '../../testing/wait-for.ts'
import { frameType, http2ErrorCode } from './http2-protocol.ts'
import { KeepAlive, keepAliveCheckMs } from './keep-alive.ts'

function keepAlive(limits: Partial<Limits> = {}) {
  const clock = { nowMs: 0 }
  return { clock, pings: new KeepAlive({ ...defaultLimits, ...limits }, () => clock.nowMs) }
}

test('a client with calls may ping as often as is allowed; the third time too early it has to go', () => {
  const { clock, pings } = keepAlive()
  const ping = (afterMs: number): boolean => {
    clock.nowMs += afterMs
    return pings.isPingTooEarly(true)
  }
  for (let i = 0; i < 20; i++) expect(ping(5000)).toBe(false)
  expect([ping(4999), ping(4999), ping(4999)]).toEqual([false, false, true])
})

test('what is sent to the client forgives its pings', () => {
  const { pings } = keepAlive()
  for (let i = 0; i < 100; i++) {
    pings.answered()
    expect(pings.isPingTooEarly(true)).toBe(false)
  }
})

test('without calls there is nothing to keep alive: pings come early until two hours are over', () => {
  const { clock, pings } = keepAlive()
  const ping = (afterMs: number): boolean => {
    clock.nowMs += afterMs
    return pings.isPingTooEarly(false)
  }
  expect([ping(0), ping(60_000), ping(60_000), ping(60_000)]).toEqual([false, false, false, true])
  const patient = keepAlive()
  for (let i = 0; i < 20; i++) {
    patient.clock.nowMs += 2 * 60 * 60_000
    expect(patient.pings.isPingTooEarly(false)).toBe(false)
  }
})

test('without a shortest time it is that of grpc-go', () => {
  const { clock, pings } = keepAlive({ keepAliveMinTimeMs: 0 })
  const verdicts = [0, 1, 2, 3].map(() => {
    clock.nowMs += 299_999
    return pings.isPingTooEarly(true)
  })
  expect(verdicts).toEqual([false, false, false, true])
})

test('a silent client is pinged once and dropped if it stays silent', () => {
  const { clock, pings } = keepAlive({ keepAliveIntervalMs: 1000, keepAliveTimeoutMs: 200 })
  clock.nowMs = 999
  expect(pings.check()).toBeUndefined()
  clock.nowMs = 1000
  expect([pings.check(), pings.check()]).toEqual(['ping', undefined])
  pings.heard()
  clock.nowMs = 2000
  expect(pings.check()).toBe('ping')
  clock.nowMs = 2200
  expect(pings.check()).toBe('drop')
})

test.each([{ keepAliveIntervalMs: 0 }, { keepAliveTimeoutMs: 0 }])(
  'with %j nobody is pinged',
  (off) => {
    const { clock, pings } = keepAlive({ keepAliveIntervalMs: 10, ...off })
    clock.nowMs = 1e9
    expect(pings.check()).toBeUndefined()
  },
)

test('clients are looked at four times in the shorter of both times, within bounds', () => {
  expect(keepAliveCheckMs(defaultLimits)).toBe(5000)
  expect(keepAliveCheckMs({ ...defaultLimits, keepAliveTimeoutMs: 2000 })).toBe(500)
  expect(keepAliveCheckMs({ ...defaultLimits, keepAliveIntervalMs: 1 })).toBe(100)
  expect(keepAliveCheckMs({ ...defaultLimits, keepAliveTimeoutMs: 0 })).toBe(5000)
})

test('over a connection: too many pings end it with the word that clients know, and silence with a ping', async () => {
  const limits = { ...defaultLimits, concurrentStreamsMax: 3 }
  const urls = ['http://127.0.0.1:0']
  const listener = await listenClients({ member: new FakeMember(), urls, limits })
  const hasty = new RawHttp2Client(listener.urls[0] ?? '')
  hasty.start()
  for (let i = 0; i < 4; i++) hasty.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)))
  await waitFor(() => expect(hasty.goAwayCode()).toBe(http2ErrorCode.enhanceYourCalm))
  const goAway = hasty.of(frameType.goaway, 0)[0]?.payload ?? Buffer.alloc(0)
  expect(goAway.subarray(8).toString()).toBe('too_many_pings')
  const settings = hasty.of(frameType.settings, 0)[0]?.payload ?? Buffer.alloc(0)
  expect(settings.subarray(6, 12)).toEqual(Buffer.from([0, 3, 0, 0, 0, 3]))

  // The limits of a running server may change.
  Object.assign(limits, { keepAliveIntervalMs: 1, keepAliveTimeoutMs: 60_000 })
  const silent = new RawHttp2Client(listener.urls[0] ?? '')
  silent.start()
  await waitFor(() => expect(silent.of(frameType.ping, 0).length).toBeGreaterThan(0))
  expect(silent.of(frameType.ping, 0)[0]?.flags).toBe(0)
  Object.assign(limits, { keepAliveTimeoutMs: 1 })
  await waitFor(() => expect(silent.isClosed).toBe(true))
  hasty.close()
  await listener.close()
})
