import { describe, expect, test } from 'vitest'
import { nodeId } from '../../core/testing/test-cluster.ts'
import { registerSpecification } from '../register-workload.ts'
import type { RegisterRequest } from '../register-machine.ts'
import { Durability } from './durability.ts'
import { FreshReads } from './fresh-reads.ts'
import { History, type Operation } from './history.ts'
import { findLinearOrder } from './linear-search.ts'
import { Linearizability } from './linearizability.ts'
import { ReadRule } from './read-rule.ts'
import { applied, observed, ready } from './testing/observed.ts'

const get = (key = 0): RegisterRequest => ({ type: 'get', key })
const put = (value: number, key = 0): RegisterRequest => ({ type: 'put', key, value })
const swap = (expected: number, value: number): RegisterRequest => {
  return { type: 'swap', key: 0, expected, value }
}

/** Calls and answers in the order in which a test makes them. */
class Clients {
  readonly history = new History()
  readonly checker: Linearizability<number> = new Linearizability(
    this.history,
    registerSpecification,
  )
  #index = 0

  ask(input: RegisterRequest, client = 0): Operation {
    const isRead = input.type === 'get'
    return this.history.call({ client, member: nodeId('a'), isRead, input })
  }

  /** A write is applied before it is answered, unless `index` says that it was before. */
  answer(operation: Operation, output: number, index?: number): void {
    const at = index ?? (operation.isRead ? this.#index : this.apply(operation))
    this.history.answer(operation, output, at)
  }

  apply({ number }: Operation): number {
    this.checker.applied(observed(), applied(++this.#index, { numbers: [number] }))
    return this.#index
  }

  verdict(): string {
    const operations = this.history.operations()
    return findLinearOrder(operations, registerSpecification)
  }
}

function clients(): Clients {
  return new Clients()
}

describe('linearizability', () => {
  test('answers in the order of the log are fine, and so are overlapping ones in any order', () => {
    const run = clients()
    run.answer(run.ask(put(1)), 0)
    const late = run.ask(put(2), 1)
    run.answer(run.ask(get(), 2), 1)
    run.answer(late, 1)
    run.answer(run.ask(get(), 2), 2)
    run.answer(run.ask(swap(2, 3)), 2)
    run.answer(run.ask(swap(2, 4)), 3)
    run.answer(run.ask(get()), 3)
    run.checker.finished()
    expect(run.verdict()).toBe('linearizable')
  })

  test('a read of a value that was overwritten before it began breaks it', () => {
    const run = clients()
    run.answer(run.ask(put(1)), 0)
    run.answer(run.ask(put(2)), 1)
    run.answer(run.ask(get()), 1, 1)
    expect(() => {
      run.checker.finished()
    }).toThrow('no order of the requests to register 0 explains every answer')
  })

  test('a lost update breaks it', () => {
    const run = clients()
    const [one, two] = [run.ask(swap(0, 1)), run.ask(swap(0, 2), 1)]
    run.answer(one, 0)
    run.answer(two, 0)
    expect(() => {
      run.checker.finished()
    }).toThrow('linearizability')
  })

  test('a write that takes effect only after it was acknowledged breaks it', () => {
    const run = clients()
    run.answer(run.ask(put(1)), 0)
    run.answer(run.ask(get()), 0, 0)
    run.answer(run.ask(get()), 1)
    expect(() => {
      run.checker.finished()
    }).toThrow('linearizability')
  })

  test('a write of unknown outcome may take effect at any time, or never, but not twice', () => {
    const run = clients()
    const unknown = run.ask(put(1))
    run.ask(put(9))
    run.answer(run.ask(put(2)), 0)
    run.answer(run.ask(get()), 2)
    run.apply(unknown)
    run.answer(run.ask(get()), 1)
    run.checker.finished()
    run.answer(run.ask(put(3)), 1)
    run.answer(run.ask(get()), 1)
    expect(() => {
      run.checker.finished()
    }).toThrow('linearizability')
  })

  test('a read that sees a write of unknown outcome and one later that does not break it', () => {
    const run = clients()
    run.ask(put(1))
    run.answer(run.ask(get()), 1, 0)
    run.answer(run.ask(get()), 0, 0)
    expect(run.verdict()).toBe('notLinearizable')
  })

  test('the report ends with the first answer that cannot be, and keeps to its register', () => {
    const run = clients()
    for (let value = 1; value <= 50; value++) run.answer(run.ask(put(value)), value - 1)
    run.answer(run.ask(put(1000, 1)), 0)
    run.answer(run.ask(get(), 7), 3, 3)
    for (let value = 51; value <= 99; value++) run.answer(run.ask(put(value)), value - 1)
    let text = ''
    try {
      run.checker.finished()
    } catch (error) {
      text = String(error)
    }
    const lines = text.split('\n')
    expect(lines.at(-1)).toContain('of client 7 at a: {"type":"get","key":0} -> 3')
    expect(lines.length).toBeLessThan(20)
    expect(text).not.toContain('1000')
  })

  test('the search agrees with trying every order', () => {
    for (let seed = 0; seed < 300; seed++) {
      const run = clients()
      const open: Operation[] = []
      let dice = seed * 7919 + 1
      const draw = (below: number): number => {
        dice = (Math.imul(dice, 1103515245) + 12345) >>> 0
        return (dice >>> 8) % below
      }
      for (let i = 0; i < 5; i++) {
        open.push(run.ask([get(), put(1), put(2), swap(1, 2)][draw(4)] ?? get()))
        while (open.length > draw(3)) {
          const operation = open.splice(draw(open.length), 1)[0]
          if (operation !== undefined) run.answer(operation, draw(3), 0)
        }
      }
      const operations = run.history.operations()
      const expected = hasOrder(operations, 0) ? 'linearizable' : 'notLinearizable'
      expect(run.verdict(), `seed ${seed}`).toBe(expected)
    }
  })
})

/** By trying everything. */
function hasOrder(left: readonly Operation[], state: number): boolean {
  const answered = left.filter(({ returnedAt }) => returnedAt !== Infinity)
  if (answered.length === 0) return true
  const firstReturn = Math.min(...answered.map(({ returnedAt }) => returnedAt))
  return left.some((operation) => {
    if (operation.calledAt > firstReturn) return false
    const next = registerSpecification.step(state, operation.input as RegisterRequest)
    if (operation.returnedAt !== Infinity && next.output !== operation.output) return false
    return hasOrder(
      left.filter((each) => each !== operation),
      next.state,
    )
  })
}

describe('durability of what was acknowledged', () => {
  const write: Operation = {
    number: 5,
    client: 0,
    member: nodeId('a'),
    isRead: false,
    input: undefined,
    calledAt: 0,
    returnedAt: 1,
    output: undefined,
    index: 3,
  }

  test('an acknowledged write that is nowhere, or elsewhere, breaks it', () => {
    expect(() => {
      new Durability().answered(write)
    }).toThrow('request 5 was acknowledged at 3 and is nowhere')
    const checker = new Durability()
    checker.applied(observed(), applied(2, { numbers: [5] }))
    expect(() => {
      checker.answered(write)
    }).toThrow('request 5 was acknowledged at 3 and is at 2')
  })

  test('a write that is applied twice breaks it', () => {
    const checker = new Durability()
    checker.applied(observed(), applied(2, { numbers: [5] }))
    checker.applied(observed({ id: 'b' }), applied(2, { numbers: [5] }))
    expect(() => {
      checker.applied(observed(), applied(4, { numbers: [5] }))
    }).toThrow('a applied request 5 at 4, which was applied at 2')
  })

  test('a write that was refused and is applied all the same breaks it, whichever comes first', () => {
    const early = new Durability()
    early.refused(write)
    expect(() => {
      early.applied(observed(), applied(4, { numbers: [5] }))
    }).toThrow('which was refused')
    const late = new Durability()
    late.applied(observed(), applied(4, { numbers: [5] }))
    expect(() => {
      late.refused(write)
    }).toThrow('request 5 was refused and is applied at 4')
  })
})

describe('reads are fresh', () => {
  test('a read that misses what was acknowledged, or read, before it began breaks it', () => {
    const checker = new FreshReads()
    const early = checker.reading()
    checker.visible(7)
    early(3)
    const late = checker.reading()
    expect(() => {
      late(6)
    }).toThrow('a read saw the state at 6, but 7 was visible')
    expect(checker.readCount).toBe(1)
  })
})

describe('read rule', () => {
  test('an answer of a leader that was deposed when it was asked breaks it', () => {
    const checker = new ReadRule()
    const old = observed({ status: { role: 'leader', term: 2 } })
    const next = observed({ id: 'b', life: 2, status: { role: 'leader', term: 3 } })
    checker.stepped(old, old.core.status())
    checker.readAsked(old, 1)
    checker.stepped(next, next.core.status())
    checker.readAsked(old, 2)
    checker.readAsked(old, 3)
    const answer = (context: number, index?: number): void => {
      checker.handingOut(old, { ...ready(1), reads: [{ context, index }] })
    }
    answer(1, 1)
    answer(2)
    expect(() => {
      answer(3, 1)
    }).toThrow('a read of a is answered in term 2, and term 3 had a leader when it was asked')
  })

  test('a read by lease after somebody was elected in a later term breaks it', () => {
    const checker = new ReadRule()
    const old = observed({ status: { role: 'leader', term: 2 } })
    const reads = [{ context: 1, index: 1, byLease: true as const }]
    checker.stepped(old, old.core.status())
    checker.handingOut(old, { ...ready(1), reads })
    const next = observed({ id: 'b', life: 2, status: { role: 'leader', term: 3 } })
    checker.stepped(next, next.core.status())
    expect(() => {
      checker.handingOut(old, { ...ready(2), reads })
    }).toThrow('a reads by its lease of term 2, and term 3 has a leader')
    checker.handingOut(old, { ...ready(3), reads: [{ context: 2, index: 1 }] })
    expect(checker.readCount).toBe(2)
  })
})
