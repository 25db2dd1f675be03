// A few seeds of the whole member; many are `npm run simulate -- --member`.
import { expect, test } from 'vitest'
import { memberPlantNames, type MemberPlantName } from './plants.ts'
import type { MemberRunReport } from './run-report.ts'
import { runSeed } from './run-seed.ts'
import { simulateMember } from './simulate-member.ts'

const seedCount = 30
/** A plant strikes within that many seeds. */
const plantSeedsMax = 20

test(`seeds 1 to ${seedCount}: no promise of the member is broken`, async () => {
  const reports: MemberRunReport[] = []
  for (let seed = 1; seed <= seedCount; seed++) reports.push(await simulateMember({ seed }))
  const total = (of: (report: MemberRunReport) => number): number =>
    reports.reduce((sum, report) => sum + of(report), 0)
  // The runs did something worth checking.
  expect(total((report) => report.revisions)).toBeGreaterThan(1_000)
  expect(total((report) => report.watchEvents)).toBeGreaterThan(1_000)
  expect(total((report) => report.leasesExpired)).toBeGreaterThan(20)
  expect(total((report) => report.faults.powerFailures)).toBeGreaterThan(20)
  expect(total((report) => Number(report.compactRevision > 0))).toBeGreaterThan(5)
})

test('a run is a function of its seed: the same one twice does the same things in the same order', async () => {
  const first = await simulateMember({ seed: 7 })
  expect(await simulateMember({ seed: 7 })).toEqual(first)
  expect((await simulateMember({ seed: 8 })).traceHash).not.toBe(first.traceHash)
})

test.each(memberPlantNames)(
  'the plant "%s" is found, and its seed finds it again',
  async (plant) => {
    const failure = await firstFailure(plant)
    expect(failure).toBeDefined()
    const again = await runSeed({ seed: failure?.report.seed ?? 0, plant })
    expect(again).toEqual(failure)
  },
)

async function firstFailure(
  plant: MemberPlantName,
): Promise<Awaited<ReturnType<typeof runSeed>> | undefined> {
  for (let seed = 1; seed <= plantSeedsMax; seed++) {
    const outcome = await runSeed({ seed, plant })
    if (outcome.failure !== undefined) return outcome
  }
  return undefined
}
