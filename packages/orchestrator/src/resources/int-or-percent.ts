// `maxSurge: 25%` or `maxSurge: 2`: numbers that may be a share of a total (apimachinery util/intstr).
import type { IntOrString } from './pod-spec/pod-spec.ts'

/** The percentage of texts like `25%`; undefined when it is none. */
export const parsePercent = (value: IntOrString): number | undefined =>
  typeof value === 'string' && /^[0-9]{1,9}%$/.test(value) ? Number(value.slice(0, -1)) : undefined

/** What `value` comes to of `total`; upstream rounds maxSurge up and maxUnavailable down. A text that is no percentage counts 0. */
export const scaledValue = (
  value: IntOrString | undefined,
  total: number,
  rounding: 'up' | 'down',
): number => {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const percent = parsePercent(value) ?? 0
  return rounding === 'up'
    ? Math.ceil((percent * total) / 100)
    : Math.floor((percent * total) / 100)
}
