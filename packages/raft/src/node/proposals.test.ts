import { describe, expect, test } from 'vitest'
import type { ProposeOutcome, Term } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { decodeBatch, type Batch } from './batch-codec.ts'
import { limitsDefault } from './defaults.ts'
import { Proposals } from './proposals.ts'
import type { RaftLimits } from './types.ts'

const origin = { high: 1, low: 2 }

/** Proposals with a core that takes everything in its current term, or nothing. */
class Setup {
  readonly proposals: Proposals<string>
  readonly taken: Batch[] = []
  readonly answers = new Map<string, string>()
  term: Term | undefined = 1
  drains = 0

  constructor(limits: Partial<RaftLimits> = {}) {
    this.proposals = new Proposals({
      origin,
      limits: { ...limitsDefault, ...limits },
      timeoutMs: 100,
      clock: { now: () => 0 },
      onDrain: () => {
        this.drains++
      },
    })
  }

  add(text: string, now = 0): boolean {
    const answer = (error: Error | undefined, result: string | undefined): void => {
      const text2 = error instanceof RaftError ? error.code : (result ?? 'nothing')
      this.answers.set(text, (this.answers.get(text) ?? '') + text2)
    }
    return this.proposals.add(Buffer.from(text), answer, now)
  }

  flush(now = 0): void {
    this.proposals.flush(now, (payload): ProposeOutcome => {
      if (this.term === undefined) return { accepted: false, reason: 'noLeader' }
      this.taken.push(decodeBatch(payload))
      return { accepted: true, term: this.term }
    })
  }

  get takenTexts(): string[] {
    return this.taken.map(({ commands }) =>
      commands.map((command) => Buffer.from(command).toString()).join(),
    )
  }
}

test('commands of one turn share a batch, up to its limits, with rising sequences', () => {
  const setup = new Setup({ entryCommandsMax: 2, entrySizeBytesMax: 30 })
  for (const text of ['a', 'b', 'c', 'd'.repeat(20), 'e'.repeat(10)]) setup.add(text)
  setup.flush()
  expect(setup.takenTexts).toEqual(['a,b', `c,${'d'.repeat(20)}`, 'e'.repeat(10)])
  expect(setup.taken.map(({ firstSequence }) => firstSequence)).toEqual([1, 3, 5])
})

test('each caller is answered once, with the result of its own command', () => {
  const setup = new Setup()
  setup.add('a')
  setup.add('b')
  setup.flush()
  setup.proposals.complete(1, ['A', 'B'])
  setup.proposals.complete(1, ['again', 'again'])
  setup.proposals.expire(1000)
  expect([...setup.answers]).toEqual([
    ['a', 'A'],
    ['b', 'B'],
  ])
  expect(setup.proposals.count).toBe(0)
})

test('what waits for a leader keeps its order, and is proposed when there is one', () => {
  const setup = new Setup()
  setup.term = undefined
  setup.add('a')
  setup.flush()
  setup.add('b')
  setup.flush()
  expect(setup.takenTexts).toEqual([])
  setup.term = 3
  setup.flush()
  expect(setup.takenTexts).toEqual(['a', 'b'])
})

test('only what was proposed in an older term is proposed again when a newer one is applied', () => {
  const setup = new Setup()
  setup.add('old')
  setup.flush()
  setup.term = 2
  setup.add('new')
  setup.flush()
  setup.proposals.termApplied(1)
  setup.flush()
  expect(setup.takenTexts).toEqual(['old', 'new'])
  setup.proposals.termApplied(2)
  setup.flush()
  expect(setup.takenTexts).toEqual(['old', 'new', 'old'])
  setup.proposals.termApplied(2)
  setup.flush()
  expect(setup.takenTexts).toHaveLength(3)
})

test('a snapshot makes the fate of older commands unknown, and leaves newer ones alone', () => {
  const setup = new Setup()
  setup.add('old')
  setup.flush()
  setup.term = 3
  setup.add('new')
  setup.flush()
  setup.proposals.skipped(2)
  setup.proposals.termApplied(4)
  expect([...setup.answers]).toEqual([['old', 'TIMEOUT']])
  setup.flush()
  expect(setup.takenTexts).toEqual(['old', 'new', 'new'])
})

test('a late command is NO_LEADER if no log can hold it and TIMEOUT if one may', () => {
  const setup = new Setup()
  setup.add('proposed')
  setup.flush()
  setup.term = undefined
  setup.add('waiting')
  setup.flush()
  setup.proposals.expire(99)
  expect(setup.answers.size).toBe(0)
  setup.proposals.expire(100)
  expect(Object.fromEntries(setup.answers)).toEqual({ proposed: 'TIMEOUT', waiting: 'NO_LEADER' })
})

test('at the end everybody is answered: gathered, waiting and in flight', () => {
  const setup = new Setup()
  setup.add('flying')
  setup.flush()
  setup.term = undefined
  setup.add('waiting')
  setup.flush()
  setup.add('gathered')
  setup.proposals.failAll(new RaftError('CLOSED', 'closed'))
  expect(Object.fromEntries(setup.answers)).toEqual({
    flying: 'CLOSED',
    waiting: 'CLOSED',
    gathered: 'CLOSED',
  })
})

describe('back-pressure', () => {
  test('begins above half of the commands, ends at a quarter, and refuses at the limit only', () => {
    const setup = new Setup({ pendingCommandsMax: 8, entryCommandsMax: 1 })
    setup.term = undefined
    const goOn = Array.from({ length: 10 }, (_, i) => setup.add(`c${i}`))
    expect(goOn).toEqual([true, true, true, true, ...Array.from({ length: 6 }, () => false)])
    expect([...setup.answers]).toEqual([
      ['c8', 'OVERLOADED'],
      ['c9', 'OVERLOADED'],
    ])
    setup.term = 1
    setup.flush()
    for (let sequence = 1; sequence <= 5; sequence++) setup.proposals.complete(sequence, ['ok'])
    expect(setup.drains).toBe(0)
    setup.proposals.complete(6, ['ok'])
    expect(setup.drains).toBe(1)
    expect(setup.add('more')).toBe(true)
  })

  test('counts bytes too, and gives them back however a command ends', () => {
    const setup = new Setup({ pendingSizeBytesMax: 1000, entryCommandsMax: 1 })
    expect(setup.add('a'.repeat(496))).toBe(true)
    expect(setup.add('b'.repeat(496))).toBe(false)
    expect(setup.add('c')).toBe(false)
    expect(setup.answers.get('c')).toBe('OVERLOADED')
    expect(setup.proposals.sizeBytes).toBe(1000)
    setup.flush()
    setup.proposals.complete(1, ['ok'])
    setup.proposals.expire(1000)
    expect([setup.proposals.sizeBytes, setup.proposals.count, setup.drains]).toEqual([0, 0, 1])
  })

  test('lets one command through that is larger than all that may wait', () => {
    const setup = new Setup({ pendingSizeBytesMax: 100 })
    expect(setup.add('x'.repeat(500))).toBe(false)
    setup.flush()
    setup.proposals.complete(1, ['ok'])
    expect(setup.answers.get('x'.repeat(500))).toBe('ok')
    expect(setup.drains).toBe(1)
  })

  test('does not begin because of a command that is too large for any entry', () => {
    const setup = new Setup({ commandSizeBytesMax: 5 })
    expect(setup.add('x'.repeat(6))).toBe(true)
    expect(setup.answers.get('x'.repeat(6))).toBe('TOO_LARGE')
  })
})
