import { expect, test } from 'vitest'
import {
  crashBackOffMaxMs,
  crashBackOffResetMs,
  endedRecord,
  newRecord,
  restartAtMs,
  startedRecord,
  type ContainerRecord,
} from './container-record.ts'

/** The record after each run of `lifeMs`, and how long it waited for the next. */
const crash = (runs: number, lifeMs: number): { record: ContainerRecord; delaysMs: number[] } => {
  let nowMs = 1_000_000
  let record = startedRecord(newRecord, 'id', nowMs)
  const delaysMs: number[] = []
  for (let run = 0; run < runs; run++) {
    nowMs += lifeMs
    record = endedRecord(record, { exitCode: 1, finishedAtMs: nowMs })
    const atMs = restartAtMs(record)
    delaysMs.push(atMs - nowMs)
    nowMs = atMs
    record = startedRecord(record, 'id', nowMs)
  }
  return { record, delaysMs }
}

test('the first restart is at once, later ones after 10 s doubling to 300 s', () => {
  const { record, delaysMs } = crash(8, 1000)
  expect(delaysMs).toEqual([
    0,
    10_000,
    20_000,
    40_000,
    80_000,
    160_000,
    crashBackOffMaxMs,
    crashBackOffMaxMs,
  ])
  expect(record.restartCount).toBe(8)
})

test('a run that lasted ten minutes starts over with the first delay', () => {
  expect(crash(4, crashBackOffResetMs + 1).delaysMs).toEqual([0, 0, 0, 0])
})

test('a restarted container remembers how the last run ended', () => {
  const { record } = crash(1, 1000)
  expect(record).toMatchObject({
    state: 'running',
    lastEnding: { exitCode: 1, reason: 'Error', startedAtMs: 1_000_000, finishedAtMs: 1_001_000 },
  })
  expect(record.ending).toBeUndefined()
})

test('a run that never began is begun again under its own number', () => {
  const { record } = crash(2, 1000)
  expect(startedRecord({ ...record, state: 'created' }, 'id2', 5)).toEqual({
    ...record,
    id: 'id2',
    startedAtMs: 5,
  })
})
