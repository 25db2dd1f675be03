import { describe, expect, test } from 'vitest'
import type { LogIndex } from '../core/types.ts'
import type { CommittedEntry, StateMachine, StateSnapshot } from '../node/types.ts'
import type { RunReport } from './run-report.ts'
import { simulate, type OwnApplication } from './simulate.ts'
import type { Workload } from './workload.ts'
import { SimulationFailure } from './world.ts'

/** A user's state machine: a queue of numbers. `isForgetful`: its snapshots leave out the first one. */
class QueueMachine implements StateMachine<number> {
  readonly #isForgetful: boolean
  #queue: number[] = []
  #index: LogIndex = 0

  constructor(isForgetful = false) {
    this.#isForgetful = isForgetful
  }

  get length(): number {
    return this.#queue.length
  }

  apply({ index, commands }: CommittedEntry): readonly number[] {
    this.#index = index
    return commands.map((command) => {
      const [value] = command
      if (value !== undefined) return this.#queue.push(value)
      return this.#queue.shift() ?? 0
    })
  }

  membershipChanged(): void {}

  snapshot(): StateSnapshot {
    const bytes = Uint8Array.from(this.#queue.slice(this.#isForgetful ? 1 : 0))
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes)
    }
    return { index: this.#index, chunks, release: () => {} }
  }

  async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const queue: number[] = []
    for await (const chunk of chunks) queue.push(...chunk)
    this.#queue = queue
    this.#index = index
  }
}

type QueueRequest =
  | { readonly type: 'push'; readonly value: number }
  | { readonly type: 'shift' }
  | { readonly type: 'length' }

function queueWorkload(): Workload<QueueRequest, number, readonly number[], QueueMachine> {
  return {
    next: (_client, random) => {
      if (random.chance(0.2)) return { type: 'length' }
      return random.chance(0.5) ? { type: 'shift' } : { type: 'push', value: random.integer(1, 9) }
    },
    command: (request) => {
      if (request.type === 'length') return undefined
      return request.type === 'push' ? Uint8Array.of(request.value) : new Uint8Array(0)
    },
    read: (machine) => machine.length,
    specification: {
      initial: [],
      step: (queue, request) => {
        if (request.type === 'length') return { state: queue, output: queue.length }
        if (request.type === 'shift') return { state: queue.slice(1), output: queue[0] ?? 0 }
        return { state: [...queue, request.value], output: queue.length + 1 }
      },
    },
  }
}

describe('witnesses', () => {
  test('are in one of ten clusters, if it has several members', async () => {
    const counts: number[] = []
    for (let seed = 7; seed <= 9; seed++) counts.push((await simulate({ seed })).witnesses)
    expect(counts).toEqual([0, expect.toSatisfy((count: number) => count > 0), 0])
  })
})

describe('a state machine and a workload of a user', () => {
  test('are put through the same faults and checks as the built-in ones', async () => {
    const stateMachine = (): QueueMachine => new QueueMachine()
    const reports: RunReport[] = []
    for (let seed = 1; seed <= 10; seed++) {
      reports.push(await simulate({ seed, stateMachine, workload: queueWorkload }))
    }
    const total = (of: (report: RunReport) => number): number =>
      reports.reduce((sum, report) => sum + of(report), 0)
    expect(total((report) => report.acknowledged)).toBeGreaterThan(100)
    expect(total((report) => report.reads)).toBeGreaterThan(50)
  })

  test('fail when the state machine loses something in a snapshot', async () => {
    const stateMachine = (): QueueMachine => new QueueMachine(true)
    expect(await failuresOf({ stateMachine, workload: queueWorkload })).not.toEqual([])
  })

  test('fail when a read is answered by something that never was', async () => {
    const workload = (): ReturnType<typeof queueWorkload> => {
      return { ...queueWorkload(), read: (machine) => machine.length + 1 }
    }
    const failures = await failuresOf({ stateMachine: () => new QueueMachine(), workload })
    expect(failures.join()).toContain('no order of the requests to the history explains')
  })
})

type QueueApplication = OwnApplication<QueueRequest, number, readonly number[], QueueMachine>

/** What the first seeds say. */
async function failuresOf(application: QueueApplication): Promise<readonly string[]> {
  const failures: string[] = []
  for (let seed = 1; seed <= 15; seed++) {
    await simulate({ seed, ...application }).catch((reason: unknown) => {
      if (!(reason instanceof SimulationFailure)) throw reason
      failures.push(reason.message)
    })
  }
  return failures
}
