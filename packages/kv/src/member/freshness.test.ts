import { expect, test } from 'vitest'
import { Freshness } from './freshness.ts'

function open(): {
  freshness: Freshness
  rounds: ((error?: Error) => void)[]
  clock: { nowMs: number }
} {
  const rounds: ((error?: Error) => void)[] = []
  const clock = { nowMs: 0 }
  const freshness = new Freshness({
    clock: { now: () => clock.nowMs, setTimer: () => () => undefined, defer: () => undefined },
    read: (done) => rounds.push((error) => done(error)),
  })
  return { freshness, rounds, clock }
}

test('a bounded read waits for a round only when the last one began too long ago', () => {
  const { freshness, rounds, clock } = open()
  const answers: string[] = []
  const read = (name: string, maxMs: number): void =>
    freshness.readStale(maxMs, (error) => answers.push(error === undefined ? name : 'failed'))
  read('first', 100)
  expect(answers).toEqual([])
  clock.nowMs = 60
  rounds.shift()?.()
  expect(answers).toEqual(['first'])
  // The round began at 0: what was committed since may be missing.
  clock.nowMs = 100
  read('second', 100)
  expect(answers).toEqual(['first', 'second'])
  clock.nowMs = 101
  read('third', 100)
  read('fourth', 101)
  expect(answers).toEqual(['first', 'second', 'fourth'])
  for (const round of rounds.splice(0)) round()
  expect(answers.at(-1)).toBe('third')
})

test('a reader that comes often has the next round begun before it would have to wait', () => {
  const { freshness, rounds, clock } = open()
  freshness.read(() => undefined)
  rounds.shift()?.()
  clock.nowMs = 51
  for (let i = 0; i < 3; i++) freshness.readStale(100, () => undefined)
  expect(rounds).toHaveLength(1)
  rounds.shift()?.()
  clock.nowMs = 151
  let isAnswered = false
  freshness.readStale(100, () => (isAnswered = true))
  expect(isAnswered).toBe(true)
})

test('without a quorum a bounded read goes on until its bound, then it fails', () => {
  const { freshness, rounds, clock } = open()
  freshness.read(() => undefined)
  rounds.shift()?.()
  const failures: (Error | undefined)[] = []
  clock.nowMs = 90
  freshness.readStale(100, (error) => failures.push(error))
  rounds.shift()?.(new Error('no leader'))
  clock.nowMs = 110
  freshness.readStale(100, (error) => failures.push(error))
  rounds.shift()?.(new Error('no leader'))
  expect(failures.map((error) => error?.message)).toEqual([undefined, 'no leader'])
})
