// The schedules of CronJobs: five fields, names, steps and @-words as upstream's library reads them, its messages, and the next time after
// another in a time zone. A time that the clocks skip in spring does not come; one that comes twice in autumn comes twice.
import { offsetMs } from './time-zone.ts'

export interface CronSchedule {
  /** Epoch milliseconds of the first time after `afterMs`; undefined: never within five years. */
  next(afterMs: number, timeZone: string): number | undefined
}
export type ParsedSchedule =
  | { readonly schedule: CronSchedule; readonly error?: undefined }
  | { readonly schedule?: undefined; readonly error: string }

interface Field {
  readonly values: ReadonlySet<number>
  /** Written as `*` or `?`: says nothing of the day. */
  readonly isStar: boolean
}
interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const horizonMs = 5 * 366 * dayMs
const textLengthMax = 256

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const minuteBounds: Bounds = { min: 0, max: 59 }
const hourBounds: Bounds = { min: 0, max: 23 }
const dayBounds: Bounds = { min: 1, max: 31 }
const monthBounds: Bounds = { min: 1, max: 12, names: months }
const weekdayBounds: Bounds = { min: 0, max: 6, names: weekdays }
const words: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

class ParseProblem extends Error {}

export function parseCronSchedule(text: string): ParsedSchedule {
  try {
    return { schedule: parse(text.slice(0, textLengthMax).trim()) }
  } catch (reason) {
    if (reason instanceof ParseProblem) return { error: reason.message }
    throw reason
  }
}

function parse(text: string): CronSchedule {
  if (text === '') throw new ParseProblem('empty spec string')
  if (text.startsWith('@every ')) return everySchedule(text)
  if (text.startsWith('@') && !words.has(text))
    throw new ParseProblem(`unrecognized descriptor: ${text}`)
  const fields = (words.get(text) ?? text).split(/\s+/)
  if (fields.length !== 5)
    throw new ParseProblem(
      `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`,
    )
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields
  return fieldSchedule({
    minute: parseField(minute, minuteBounds).values,
    hour: parseField(hour, hourBounds).values,
    day: parseField(day, dayBounds),
    month: parseField(month, monthBounds).values,
    weekday: parseField(weekday, weekdayBounds),
  })
}

const unitsMs: Readonly<Record<string, number>> = { h: hourMs, m: minuteMs, s: 1000 }

/** `@every 1h30m`: no calendar, only a distance from the last time. */
function everySchedule(text: string): CronSchedule {
  const duration = text.slice('@every '.length)
  if (!/^(?:\d{1,6}[hms])+$/.test(duration))
    throw new ParseProblem(
      `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`,
    )
  const ms = [...duration.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (unitsMs[unit] ?? 0),
    0,
  )
  const everyMs = Math.max(1000, ms)
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + everyMs }
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>()
  let isStar = false
  for (const part of text.split(',')) {
    const range = parseRange(part, bounds)
    isStar ||= range.isStar
    for (let value = range.first; value <= range.last; value += range.step) values.add(value)
  }
  return { values, isStar }
}

function parseRange(
  text: string,
  bounds: Bounds,
): { first: number; last: number; step: number; isStar: boolean } {
  const [range = '', stepText, ...slashes] = text.split('/')
  if (slashes.length > 0) throw new ParseProblem(`too many slashes: ${text}`)
  const [low = '', high, ...hyphens] = range.split('-')
  if (hyphens.length > 0) throw new ParseProblem(`too many hyphens: ${text}`)
  const isAny = low === '*' || low === '?'
  const first = isAny ? bounds.min : parseValue(low, bounds)
  const step = stepText === undefined ? 1 : parseNumber(stepText)
  const last =
    isAny || (high === undefined && stepText !== undefined)
      ? bounds.max
      : high === undefined
        ? first
        : parseValue(high, bounds)
  if (first < bounds.min)
    throw new ParseProblem(`beginning of range (${first}) below minimum (${bounds.min}): ${text}`)
  if (last > bounds.max)
    throw new ParseProblem(`end of range (${last}) above maximum (${bounds.max}): ${text}`)
  if (first > last)
    throw new ParseProblem(`beginning of range (${first}) beyond end of range (${last}): ${text}`)
  if (step === 0) throw new ParseProblem(`step of range should be a positive number: ${text}`)
  return { first, last, step, isStar: isAny && step === 1 }
}

const parseValue = (text: string, { names, min }: Bounds): number => {
  const index = names?.indexOf(text.toLowerCase()) ?? -1
  return index >= 0 ? index + min : parseNumber(text)
}

const parseNumber = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  if (/^-\d{1,9}$/.test(text))
    throw new ParseProblem(`negative number (${text}) not allowed: ${text}`)
  throw new ParseProblem(
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

interface Fields {
  readonly minute: ReadonlySet<number>
  readonly hour: ReadonlySet<number>
  readonly day: Field
  readonly month: ReadonlySet<number>
  readonly weekday: Field
}

const fieldSchedule = (fields: Fields): CronSchedule => ({
  next: (afterMs, timeZone) => {
    let atMs = (Math.floor(afterMs / minuteMs) + 1) * minuteMs
    const untilMs = afterMs + horizonMs
    while (atMs < untilMs) {
      const wall = new Date(atMs + offsetMs(atMs, timeZone))
      const nextMs = step(fields, wall, atMs, timeZone)
      if (nextMs === atMs) return atMs
      atMs = nextMs
    }
    return undefined
  },
})

/** The same time if it matches, else one nearer to the next match. */
function step(fields: Fields, wall: Date, atMs: number, timeZone: string): number {
  if (!fields.month.has(wall.getUTCMonth() + 1)) {
    const nextMonth = Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 1)
    return instantOf(nextMonth, atMs, timeZone)
  }
  if (!matchesDay(fields, wall)) {
    const nextDay = Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate() + 1)
    return instantOf(nextDay, atMs, timeZone)
  }
  if (!fields.hour.has(wall.getUTCHours())) return atMs + (60 - wall.getUTCMinutes()) * minuteMs
  return fields.minute.has(wall.getUTCMinutes()) ? atMs : atMs + minuteMs
}

/** If both day fields say something, one of them is enough. */
const matchesDay = ({ day, weekday }: Fields, wall: Date): boolean => {
  const isDay = day.values.has(wall.getUTCDate())
  const isWeekday = weekday.values.has(wall.getUTCDay())
  return day.isStar || weekday.isStar ? isDay && isWeekday : isDay || isWeekday
}

/** When the clocks of the zone first show `wallMs` or more, always later than `afterMs`. */
function instantOf(wallMs: number, afterMs: number, timeZone: string): number {
  const guessMs = wallMs - offsetMs(wallMs, timeZone)
  const candidates = [guessMs, wallMs - offsetMs(guessMs, timeZone)].filter(
    (ms) => ms > afterMs && ms + offsetMs(ms, timeZone) >= wallMs,
  )
  return candidates.length === 0 ? afterMs + hourMs : Math.min(...candidates)
}
