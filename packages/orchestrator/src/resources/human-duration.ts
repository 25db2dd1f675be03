// Ages as kubectl prints them (apimachinery util/duration): coarse text of at most two units.

const minuteSeconds = 60
const hourSeconds = 3600
const daySeconds = 24 * hourSeconds

/** e.g. `5s`, `2m53s`, `3h`, `2d4h`, `10d`, `2y3d`. Up to a second in the future is `0s`, more is `<invalid>`. */
export const humanDuration = (durationMs: number): string => {
  const seconds = Math.trunc(durationMs / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * minuteSeconds) return `${seconds}s`
  const minutes = Math.trunc(seconds / minuteSeconds)
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % minuteSeconds, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(seconds / hourSeconds)
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(seconds / daySeconds)
  if (hours < 24 * 8) return twoUnits(days, 'd', hours % 24, 'h')
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  return hours < 24 * 365 * 8 ? twoUnits(years, 'y', days % 365, 'd') : `${years}y`
}

/** The age of an RFC 3339 time; `<unknown>` when there is none. */
export const ageOf = (time: string | null | undefined, now: number): string => {
  const milliseconds = time === undefined || time === null ? Number.NaN : Date.parse(time)
  return Number.isNaN(milliseconds) ? '<unknown>' : humanDuration(now - milliseconds)
}

const twoUnits = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
