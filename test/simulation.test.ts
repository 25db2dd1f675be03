// 300 seeded runs of whole clusters on the real shell, the five properties of the Raft paper and more checked after every step. A seed that fails
// is run again, with its trace, by `npm run simulate -- --seed S`.
import { simulate, type RunReport } from '@balsa/raft/simulation'
import { expect, test } from 'vitest'

const seedCount = 300
const seedsPerTest = 30

const ranges = Array.from({ length: seedCount / seedsPerTest }, (_, i) => {
  return { first: i * seedsPerTest + 1, last: (i + 1) * seedsPerTest }
})

test.each(ranges)(
  'seeds $first to $last: no property of Raft is broken, and nothing acknowledged is lost',
  async ({ first, last }) => {
    const reports: RunReport[] = []
    for (let seed = first; seed <= last; seed++) reports.push(await simulate({ seed }))
    const total = (of: (report: RunReport) => number): number =>
      reports.reduce((sum, report) => sum + of(report), 0)
    // The runs did something worth checking.
    expect(total((report) => report.commits)).toBeGreaterThan(500)
    expect(total((report) => report.elections)).toBeGreaterThan(seedsPerTest)
    expect(total((report) => report.faults.powerFailures)).toBeGreaterThan(seedsPerTest)
    expect(total((report) => report.reads)).toBeGreaterThan(100)
  },
)

test('a run is a function of its seed: the same one twice does the same things in the same order', async () => {
  const first = await simulate({ seed: 7 })
  const second = await simulate({ seed: 7 })
  expect(second).toEqual(first)
  const other = await simulate({ seed: 8 })
  expect(other.traceHash).not.toBe(first.traceHash)
})
