// Time zones by their IANA names.

/** Formatters are costly to make. There are about 600 zones. */
const formatters = new Map<string, Intl.DateTimeFormat>()
const formattersMax = 1000

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  if (formatters.size < formattersMax) formatters.set(timeZone, made)
  return made
}

/** Names as in the IANA database; offsets like `+01:00` are no names. */
export const isTimeZone = (name: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name)) return false
  try {
    formatterOf(name)
    return true
  } catch (reason) {
    if (reason instanceof RangeError) return false
    throw reason
  }
}

/** How far the clocks of the zone are ahead of UTC at that time. */
export function offsetMs(atMs: number, timeZone: string): number {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') return 0
  const wholeMs = Math.floor(atMs / 1000) * 1000
  const parts: Record<string, number> = {}
  for (const { type, value } of formatterOf(timeZone).formatToParts(wholeMs))
    parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs
}
