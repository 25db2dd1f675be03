// etcd's timing of compactions that nobody asked for, on a clock moved by hand.
import { expect, test } from 'vitest'
import { AutoCompaction } from './auto-compaction.ts'
import { planStorage, type CompactionMode, type StorageOptions } from './storage-options.ts'
import { ManualClock } from './testing/manual-clock.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

function start(mode: CompactionMode, retention: string): World {
  return new World({ autoCompactionMode: mode, autoCompactionRetention: retention })
}

/** Its revision is the minute it is. */
class World {
  readonly clock = new ManualClock()
  /** Revisions by the minute they were asked for. */
  readonly asked: (readonly [minute: number, revision: number])[] = []
  readonly compaction: AutoCompaction
  isLeader = true
  isRefused = false

  constructor(options: StorageOptions) {
    const minute = (): number => Math.round(this.clock.now() / minuteMs)
    this.compaction = new AutoCompaction({
      plan: planStorage(options).compaction,
      clock: this.clock,
      revision: () => minute() + 100,
      isLeader: () => this.isLeader,
      compact: (revision, done) => {
        this.asked.push([minute(), revision])
        done(!this.isRefused)
      },
    })
  }

  run(minutes: number): this {
    for (let i = 0; i < minutes; i++) this.clock.advance(minuteMs)
    return this
  }
}

test('a retention of an hour compacts every hour to the revision of an hour and one look ago', () => {
  const { asked } = start('periodic', '1').run(190)
  expect(asked).toEqual([
    [60, 100],
    [120, 154],
    [180, 214],
  ])
})

test('a longer retention compacts every hour, once it has passed', () => {
  const { asked } = start('periodic', '3h').run(310)
  expect(asked).toEqual([
    [180, 100],
    [240, 154],
    [300, 214],
  ])
})

test('a shorter one compacts each time it has passed', () => {
  const { asked } = start('periodic', '10m').run(31)
  expect(asked.map(([minute]) => minute)).toEqual([10, 20, 30])
})

test('a compaction that failed is tried again after a tenth of the interval', () => {
  const world = start('periodic', '1h')
  world.isRefused = true
  world.run(67)
  world.isRefused = false
  world.run(10)
  expect(world.asked.map(([minute]) => minute)).toEqual([60, 66, 72])
})

test('only the leader compacts', () => {
  const world = start('periodic', '1h')
  world.isLeader = false
  world.run(90)
  expect(world.asked).toEqual([])
  world.isLeader = true
  expect(world.run(7).asked).toHaveLength(1)
})

test('by revisions, so many stay', () => {
  const { asked } = start('revision', '103').run(14)
  expect(asked).toEqual([
    [5, 2],
    [10, 7],
  ])
})

test('a retention of 0 compacts nothing, and a strange one is named', () => {
  expect(planStorage({ autoCompactionRetention: '0' }).compaction).toBeUndefined()
  expect(planStorage({ autoCompactionRetention: '1h30m' }).compaction).toEqual({
    mode: 'periodic',
    periodMs: 1.5 * hourMs,
  })
  expect(() => planStorage({ autoCompactionRetention: 'soon' })).toThrow(
    "--auto-compaction-retention is 'soon'",
  )
  expect(() =>
    planStorage({ autoCompactionMode: 'revision', autoCompactionRetention: '1h' }),
  ).toThrow('a number of revisions')
})
