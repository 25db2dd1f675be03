// All pairs of a store in a form that compares quickly.
import type { Kv, RangeOptions } from '@balsa/kv'

export async function pairsOf(kv: Kv, options: RangeOptions = { prefix: '' }): Promise<string[]> {
  const { pairs } = await kv.range(options)
  return pairs.map(({ key, value, ...rest }) => {
    const [name, content] = [key, value].map((bytes) => Buffer.from(bytes).toString('base64'))
    return [name, content, rest.createRevision, rest.modRevision, rest.version, rest.lease].join()
  })
}
