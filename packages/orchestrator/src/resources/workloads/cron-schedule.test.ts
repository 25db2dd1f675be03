import { expect, test } from 'vitest'
import { parseCronSchedule } from './cron-schedule.ts'

const next = (text: string, after: string, timeZone = 'UTC'): string | undefined => {
  const { schedule, error } = parseCronSchedule(text)
  if (schedule === undefined) throw new Error(error)
  const ms = schedule.next(Date.parse(after), timeZone)
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16)
}

test.each([
  ['*/15 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:15'],
  ['*/15 * * * *', '2026-01-01T00:14:59Z', '2026-01-01T00:15'],
  ['5/20 * * * *', '2026-01-01T00:30:00Z', '2026-01-01T00:45'],
  ['30 4 1,15 * *', '2026-01-02T00:00:00Z', '2026-01-15T04:30'],
  ['0 0 31 * *', '2026-02-01T00:00:00Z', '2026-03-31T00:00'],
  ['0 12 * JAN-mar MON-FRI', '2026-03-27T12:00:00Z', '2026-03-30T12:00'],
  ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
  // Both day fields: one is enough. With a star only the other counts.
  ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
  ['0 0 13 * ?', '2026-01-01T00:00:00Z', '2026-01-13T00:00'],
  ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00'],
  ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00'],
  ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00'],
  ['@every 1h30m', '2026-01-01T00:00:00Z', '2026-01-01T01:30'],
  ['0 0 30 2 *', '2026-01-01T00:00:00Z', undefined],
])('%s after %s comes at %s', (text, after, expected) => {
  expect(next(text, after)).toBe(expected)
})

test.each([
  ['0 9 * * *', 'Europe/Berlin', '2026-01-15T00:00:00Z', '2026-01-15T08:00'],
  ['0 9 * * *', 'Europe/Berlin', '2026-07-15T00:00:00Z', '2026-07-15T07:00'],
  ['0 9 * * *', 'Asia/Kolkata', '2026-01-15T00:00:00Z', '2026-01-15T03:30'],
  // 02:30 does not exist on the day the clocks go forward, so the next one is a day later.
  ['30 2 * * *', 'America/New_York', '2026-03-08T05:00:00Z', '2026-03-09T06:30'],
  // 01:30 comes twice on the day they go back.
  ['30 1 * * *', 'America/New_York', '2026-11-01T04:00:00Z', '2026-11-01T05:30'],
  ['30 1 * * *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:30'],
  // Midnight itself is skipped there.
  ['0 12 * * *', 'Africa/Cairo', '2026-04-23T12:00:00Z', '2026-04-24T09:00'],
])('%s in %s after %s comes at %s', (text, timeZone, after, expected) => {
  expect(next(text, after, timeZone)).toBe(expected)
})

test.each([
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['@often', 'unrecognized descriptor: @often'],
])('%j is refused: %s', (text, error) => {
  expect(parseCronSchedule(text).error).toBe(error)
})
