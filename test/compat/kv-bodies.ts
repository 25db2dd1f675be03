// Draws requests to the KV service: keys, ends, revisions and all that a request can ask for.
import type { SeededRandom } from '@balsa/raft/simulation'
import type { Json } from './operation.ts'

// Eleven at most with the mark of watches: etcd's sort is stable for so few, and equal elements come in the same order from it every time.
export const keys: readonly string[] = [
  'a',
  'aa',
  'b',
  'b\xff',
  'c',
  'd',
  'e/1',
  'e/2',
  '\xff\xff',
  '\0',
]
export const ends: readonly string[] = ['\0', 'b', 'c', 'e0', 'zz', '\xff', 'a', '']
const values = ['', '1', '2', 'value', '\xff\0', 'x'.repeat(300)]
export const leases: readonly number[] = [101, 102, 103, 104]
const compareResults = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL']

export function pick<T>(random: SeededRandom, items: readonly T[]): T {
  const item = random.pick(items)
  if (item === undefined) throw new Error('There is nothing to pick')
  return item
}

/** Mostly a past revision, sometimes one that is gone or not there yet. */
export function near(random: SeededRandom, span: number): { back: number } {
  return { back: random.integer(-2, span) }
}

export function keyOf(random: SeededRandom): string {
  return random.chance(0.005) ? '' : pick(random, keys)
}

export function maybe(random: SeededRandom, chance: number, fields: () => Json): Json {
  return random.chance(chance) ? fields() : {}
}

function plainPutBody(random: SeededRandom): Json {
  return {
    key: keyOf(random),
    value: pick(random, values),
    ...maybe(random, 0.25, () => ({ lease: pick(random, leases) })),
    ...maybe(random, 0.3, () => ({ prev_kv: true })),
  }
}

export function putBody(random: SeededRandom): Json {
  return {
    ...plainPutBody(random),
    ...maybe(random, 0.04, () => ({ ignore_value: true, value: '' })),
    ...maybe(random, 0.04, () => ({ ignore_lease: true, lease: 0 })),
    ...maybe(random, 0.01, () => ({ ignore_lease: true, ignore_value: true })),
  }
}

export function deleteBody(random: SeededRandom): Json {
  return {
    key: keyOf(random),
    ...maybe(random, 0.25, () => ({ range_end: pick(random, ends) })),
    ...maybe(random, 0.4, () => ({ prev_kv: true })),
  }
}

export function rangeBody(random: SeededRandom): Json {
  return {
    key: keyOf(random),
    ...maybe(random, 0.7, () => ({ range_end: pick(random, ends) })),
    ...maybe(random, 0.3, () => ({ limit: random.integer(1, 6) })),
    ...maybe(random, 0.3, () => ({ revision: near(random, 40) })),
    ...maybe(random, 0.3, () => ({ sort_order: random.integer(0, 2) })),
    ...maybe(random, 0.3, () => ({ sort_target: random.integer(0, 4) })),
    ...maybe(random, 0.1, () => ({ serializable: true })),
    ...maybe(random, 0.15, () => ({ keys_only: true })),
    ...maybe(random, 0.1, () => ({ count_only: true })),
    ...maybe(random, 0.1, () => ({ min_mod_revision: near(random, 60) })),
    ...maybe(random, 0.1, () => ({ max_mod_revision: near(random, 60) })),
    ...maybe(random, 0.1, () => ({ min_create_revision: near(random, 60) })),
    ...maybe(random, 0.1, () => ({ max_create_revision: near(random, 60) })),
  }
}

function compareBody(random: SeededRandom): Json {
  const operand = pick<() => Json>(random, [
    () => ({ target: 'VERSION', version: random.integer(0, 3) }),
    () => ({ target: 'CREATE', create_revision: near(random, 60) }),
    () => ({ target: 'CREATE', create_revision: 0 }),
    () => ({ target: 'MOD', mod_revision: near(random, 20) }),
    () => ({ target: 'VALUE', value: pick(random, values) }),
    () => ({ target: 'LEASE', lease: pick(random, [0, ...leases]) }),
    () => ({ target: 'VERSION' }),
    // The operand of another target.
    () => ({ target: 'MOD', version: 1 }),
  ])()
  return {
    key: keyOf(random),
    result: pick(random, compareResults),
    ...maybe(random, 0.15, () => ({ range_end: pick(random, ends) })),
    ...operand,
  }
}

function many(random: SeededRandom, max: number, draw: () => Json): Json[] {
  return Array.from({ length: random.integer(0, max) }, draw)
}

/** `depth`: so many levels of txns may be inside. 3.4 dies of a put that keeps the value or the lease of a key which the same txn deletes: there is one or the other. */
export function txnBody(
  random: SeededRandom,
  depth: number,
  hasDeletes: boolean = random.chance(0.7),
): Json {
  const op = (): Json => {
    const dice = random.next()
    if (dice < 0.4) return { request_put: hasDeletes ? plainPutBody(random) : putBody(random) }
    if (dice < 0.55 && hasDeletes) return { request_delete_range: deleteBody(random) }
    if (dice < 0.9 || depth === 0) return { request_range: rangeBody(random) }
    return { request_txn: txnBody(random, depth - 1, hasDeletes) }
  }
  return {
    compare: many(random, 2, () => compareBody(random)),
    success: many(random, 3, op),
    failure: many(random, 3, op),
  }
}

export function readOnlyTxnBody(random: SeededRandom): Json {
  const op = (): Json => ({ request_range: rangeBody(random) })
  return {
    compare: many(random, 2, () => compareBody(random)),
    success: many(random, 2, op),
    failure: many(random, 2, op),
  }
}
