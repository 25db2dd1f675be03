// What RFC 9113 (8.2, 8.3) asks of the headers of every request, whatever protocol it carries.
import type { HeaderField } from '../hpack/static-table.ts'

const pseudoNames = new Set([':method', ':path', ':scheme', ':authority'])
const requiredNames = [':method', ':path', ':scheme'] as const
const connectionNames = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** The last value of each name; undefined for a request that is malformed. */
export function requestFields(fields: readonly HeaderField[]): Map<string, string> | undefined {
  const values = new Map<string, string>()
  let sawRegular = false
  for (const [name, value] of fields) {
    if (name.startsWith(':')) {
      if (sawRegular || !pseudoNames.has(name) || values.has(name)) return undefined
    } else {
      sawRegular = true
      if (name === '' || name !== name.toLowerCase() || connectionNames.has(name)) return undefined
      if (name === 'te' && value !== 'trailers') return undefined
    }
    values.set(name, value)
  }
  return requiredNames.every((name) => values.has(name)) && values.get(':path') !== ''
    ? values
    : undefined
}
