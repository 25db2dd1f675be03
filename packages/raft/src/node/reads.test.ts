import { expect, test } from 'vitest'
import { RaftError } from '../errors.ts'
import { pendingReadsMax } from './defaults.ts'
import { Reads } from './reads.ts'

class Setup {
  readonly reads = new Reads({ timeoutMs: 100, clock: { now: () => 0 } })
  readonly rounds: number[] = []
  readonly answers: string[] = []

  add(name: string, now = 0): void {
    this.reads.add((error) => {
      this.answers.push(error instanceof RaftError ? `${name} ${error.code}` : name)
    }, now)
  }

  flush(): void {
    this.reads.flush((context) => this.rounds.push(context))
  }
}

test('one round serves all who asked before it, whoever asks meanwhile waits for the next', () => {
  const setup = new Setup()
  setup.add('a')
  setup.add('b')
  setup.flush()
  setup.add('c')
  setup.flush()
  expect(setup.rounds).toEqual([1])
  setup.reads.answered({ context: 1, index: 7 })
  setup.reads.applied(7)
  expect(setup.answers).toEqual(['a', 'b'])
  setup.flush()
  expect(setup.rounds).toEqual([1, 2])
})

test('nobody is answered before the index is applied', () => {
  const setup = new Setup()
  setup.add('a')
  setup.flush()
  setup.reads.answered({ context: 1, index: 7 })
  setup.reads.applied(6)
  expect(setup.answers).toEqual([])
  setup.reads.applied(8)
  expect(setup.answers).toEqual(['a'])
})

test('a failed round is asked again, but not before there is reason to', () => {
  const setup = new Setup()
  setup.add('a')
  setup.flush()
  setup.reads.answered({ context: 1, index: undefined })
  setup.flush()
  expect([setup.rounds, setup.reads.isDue]).toEqual([[1], false])
  setup.reads.retry()
  setup.flush()
  expect(setup.rounds).toEqual([1, 2])
  setup.reads.answered({ context: 1, index: 3 })
  setup.reads.applied(3)
  expect(setup.answers).toEqual([])
})

test('late reads are given up, wherever they wait', () => {
  const setup = new Setup()
  setup.add('unapplied')
  setup.flush()
  setup.reads.answered({ context: 1, index: 9 })
  setup.add('unconfirmed')
  setup.flush()
  setup.add('unasked')
  setup.add('young', 50)
  setup.reads.expire(100)
  expect(setup.answers.sort()).toEqual([
    'unapplied TIMEOUT',
    'unasked NO_LEADER',
    'unconfirmed TIMEOUT',
  ])
  setup.reads.failAll(new RaftError('CLOSED', 'closed'))
  expect(setup.answers.at(-1)).toBe('young CLOSED')
})

test(`${pendingReadsMax} reads may wait, one more is refused`, () => {
  const setup = new Setup()
  for (let i = 0; i < pendingReadsMax; i++) setup.add('a')
  expect(setup.answers).toEqual([])
  setup.add('more')
  expect(setup.answers).toEqual(['more OVERLOADED'])
})
