// A stream that ends on the way, or that no server knows: pages go on where it was.
import { expect, test } from 'vitest'
import { KvError, type KvErrorCode } from '../errors.ts'
import type { KvPair, RangeOptions, StreamOptions } from '../kv.ts'
import { pages } from './pages.ts'

const names = Array.from({ length: 20 }, (_, i) => `k${String(i).padStart(2, '0')}`)
const pairOf = (name: string): KvPair => {
  const numbers = { createRevision: 2, modRevision: 2, version: 1, lease: 0n }
  return { key: Buffer.from(name), value: Buffer.from(''), ...numbers }
}
const from = (key: RangeOptions['key']): string[] =>
  names.filter((name) => name >= Buffer.from(key ?? '').toString())

/** A stream of parts of three that breaks after so many. */
async function read(parts: number, code: KvErrorCode): Promise<{ seen: string[]; ranges: number }> {
  let ranges = 0
  const kv = {
    range: (options: RangeOptions): ReturnType<Parameters<typeof pages>[0]['range']> => {
      ranges++
      const left = from(options.key)
      const some = left.slice(0, options.limit)
      const more = some.length < left.length
      const header = { clusterId: 1n, memberId: 2n, revision: 7, raftTerm: 3 }
      const pairs = some.map(pairOf)
      return Promise.resolve({ pairs, more, count: left.length, revision: 7, header })
    },
    rangeStream: async function* (options: StreamOptions): AsyncGenerator<readonly KvPair[]> {
      const left = from(options.key)
      for (let i = 0; i < parts && i * 3 < left.length; i++) {
        yield left.slice(i * 3, i * 3 + 3).map(pairOf)
        await Promise.resolve()
      }
      if (parts * 3 < left.length) throw new KvError(code)
    },
  }
  const seen: string[] = []
  for await (const page of pages(kv, { prefix: 'k', pageSize: 4 })) {
    expect([page.revision, page.header.raftTerm]).toEqual([7, 3])
    seen.push(...page.pairs.map(({ key }) => Buffer.from(key).toString()))
  }
  return { seen, ranges }
}

test.each([
  [0, 'UNIMPLEMENTED', 5],
  [2, 'CONNECTION_LOST', 4],
  [100, 'INTERNAL', 1],
] as const)(
  'after %i parts and %s every key comes once, with %i ranges',
  async (parts, code, ranges) => {
    expect(await read(parts, code)).toEqual({ seen: names, ranges })
  },
)

test('a range that was compacted under way says so', async () => {
  await expect(read(1, 'COMPACTED')).rejects.toMatchObject({ code: 'COMPACTED' })
})
