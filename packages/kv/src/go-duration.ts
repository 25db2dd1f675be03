// Durations as Go writes them, '1h30m' or '500ms': in flags, in tokens' options, and in queries of the Kubernetes API.

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** In milliseconds; undefined for what is none. Without a sign, which no setting has a use for. */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let sum = 0
  for (const [, digits, unit = ''] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(digits) * (unitsMs[unit] ?? 0)
  }
  return sum
}
