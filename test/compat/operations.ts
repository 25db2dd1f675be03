// Draws operations: all of KV, leases, watches, compaction and users, among them what a server must refuse. The same seed draws the same ones.
import { SeededRandom } from '@balsa/raft/simulation'
import { drawAuth, drawUser } from './auth-operations.ts'
import type { Json, Operation } from './operation.ts'

// Eleven at most: etcd's sort is stable for so few, and equal elements come in the same order from it every time.
const keys = ['a', 'aa', 'b', 'b\xff', 'c', 'd', 'e/1', 'e/2', '\xff\xff', '\0']
const ends = ['\0', 'b', 'c', 'e0', 'zz', '\xff', 'a']
const values = ['', '1', '2', 'value', '\xff\0', 'x'.repeat(300)]
const leases = [101, 102, 103, 104]
export const watchStreams = 3
/** Every so many operations all that can be compared is. */
const settleEvery = 1_000

export interface DrawOptions {
  readonly seed: number
  readonly count: number
  /** Methods that are left out. */
  readonly without: readonly string[]
}

export function* drawOperations({ seed, count, without }: DrawOptions): Generator<Operation> {
  const random = new SeededRandom(seed)
  const hasUsers = random.chance(0.5)
  for (let i = 1; i <= count; i++) {
    if (i % settleEvery === 0) yield { type: 'settle' }
    const users = hasUsers && random.chance(0.03) ? drawAuth(random) : undefined
    const operation = users ?? withUser(drawOne(random), hasUsers ? random : undefined)
    if (operation.type !== 'call' || !without.includes(operation.method)) yield operation
  }
  yield { type: 'settle' }
}

function withUser(operation: Operation, random: SeededRandom | undefined): Operation {
  if (random === undefined || (operation.type !== 'call' && operation.type !== 'watch')) {
    return operation
  }
  const user = drawUser(random)
  return user === undefined ? operation : { ...operation, as: user }
}

function drawOne(random: SeededRandom): Operation {
  const dice = random.next()
  if (dice < 0.28) return call('KV/Put', putBody(random))
  if (dice < 0.36) return call('KV/DeleteRange', deleteBody(random))
  if (dice < 0.6) return call('KV/Range', rangeBody(random))
  if (dice < 0.84) return call('KV/Txn', txnBody(random, 3))
  if (dice < 0.94) return drawLease(random)
  if (dice < 0.943) return call('KV/Compact', { revision: near(random, 60), physical: true })
  if (dice < 0.975) return drawWatch(random)
  if (dice < 0.985) {
    return call('Maintenance/HashKV', { revision: random.chance(0.5) ? 0 : near(random, 40) })
  }
  return drawInvalid(random)
}

function call(method: string, body: Json): Operation {
  return { type: 'call', method, body }
}

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  const item = random.pick(items)
  if (item === undefined) throw new Error('There is nothing to pick')
  return item
}

/** Mostly a past revision, sometimes one that is gone or not there yet. */
function near(random: SeededRandom, span: number): { back: number } {
  return { back: random.integer(-2, span) }
}

function keyOf(random: SeededRandom): string {
  return random.chance(0.005) ? '' : pick(random, keys)
}

function maybe(random: SeededRandom, chance: number, fields: () => Json): Json {
  return random.chance(chance) ? fields() : {}
}

function putBody(random: SeededRandom): Json {
  return {
    key: keyOf(random),
    value: pick(random, values),
    ...maybe(random, 0.25, () => ({ lease: pick(random, leases) })),
    ...maybe(random, 0.3, () => ({ prev_kv: true })),
    ...maybe(random, 0.04, () => ({ ignore_value: true, value: '' })),
    ...maybe(random, 0.04, () => ({ ignore_lease: true, lease: 0 })),
    ...maybe(random, 0.01, () => ({ ignore_lease: true, ignore_value: true })),
  }
}

function deleteBody(random: SeededRandom): Json {
  return {
    key: keyOf(random),
    ...maybe(random, 0.25, () => ({ range_end: pick(random, ends) })),
    ...maybe(random, 0.4, () => ({ prev_kv: true })),
  }
}

function rangeBody(random: SeededRandom): Json {
  return {
    key: keyOf(random),
    ...maybe(random, 0.7, () => ({ range_end: pick(random, ends) })),
    ...maybe(random, 0.3, () => ({ limit: random.integer(1, 4) })),
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
  ])()
  return {
    key: keyOf(random),
    result: pick(random, ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL']),
    ...maybe(random, 0.15, () => ({ range_end: pick(random, ends) })),
    ...operand,
  }
}

function txnBody(random: SeededRandom, depth: number): Json {
  const many = (max: number, draw: () => Json): Json[] =>
    Array.from({ length: random.integer(0, max) }, draw)
  const op = (): Json => {
    const dice = random.next()
    if (dice < 0.4) return { request_put: putBody(random) }
    if (dice < 0.55) return { request_delete_range: deleteBody(random) }
    if (dice < 0.9 || depth === 0) return { request_range: rangeBody(random) }
    return { request_txn: txnBody(random, depth - 1) }
  }
  return {
    compare: many(2, () => compareBody(random)),
    success: many(3, op),
    failure: many(3, op),
  }
}

function drawLease(random: SeededRandom): Operation {
  const id = pick(random, leases)
  const dice = random.next()
  // Nothing expires while the run lasts.
  if (dice < 0.35) return call('Lease/LeaseGrant', { ID: id, TTL: random.integer(50_000, 90_000) })
  if (dice < 0.5) return call('Lease/LeaseRevoke', { ID: id })
  if (dice < 0.9) return call('Lease/LeaseTimeToLive', { ID: id, keys: random.chance(0.7) })
  return call('Lease/LeaseLeases', {})
}

function drawWatch(random: SeededRandom): Operation {
  const stream = random.integer(0, watchStreams - 1)
  const dice = random.next()
  if (dice < 0.25) return { type: 'cancel', stream, nth: random.integer(0, 9) }
  if (dice < 0.3) return { type: 'progress', stream }
  return {
    type: 'watch',
    stream,
    body: {
      key: random.chance(0.02) ? '' : pick(random, keys),
      ...maybe(random, 0.6, () => ({ range_end: pick(random, ends) })),
      ...maybe(random, 0.4, () => ({ start_revision: near(random, 80) })),
      ...maybe(random, 0.4, () => ({ prev_kv: true })),
      ...maybe(random, 0.2, () => ({ filters: [pick(random, ['NOPUT', 'NODELETE'])] })),
      ...maybe(random, 0.2, () => ({ watch_id: random.integer(1, 12) })),
    },
  }
}

function drawInvalid(random: SeededRandom): Operation {
  return pick<() => Operation>(random, [
    () => call('KV/Put', { key: 'a', value: 'x', ignore_value: true }),
    () => call('KV/Put', { key: 'a', value: 'x', lease: 999 }),
    () => call('KV/Put', { key: 'a', value: 'x', lease: 101, ignore_lease: true }),
    () => call('KV/Range', { key: 'a', limit: -1 }),
    () => call('KV/Txn', { success: [{}] }),
    () => call('KV/Txn', { compare: [{ key: '', target: 'VERSION' }] }),
    () => call('KV/Txn', { success: twice({ request_put: { key: 'a', value: '1' } }) }),
    () =>
      call('KV/Txn', {
        success: Array.from({ length: 129 }, (_, i) => ({ request_range: { key: `k${i}` } })),
      }),
    () =>
      call('KV/Txn', {
        success: [
          { request_delete_range: { key: 'a', range_end: 'c' } },
          { request_txn: { failure: [{ request_put: { key: 'b', value: '1' } }] } },
        ],
      }),
    () => call('KV/Compact', { revision: -1 }),
    () => call('KV/Compact', { revision: { back: -1_000 } }),
    () => call('Lease/LeaseGrant', { ID: 101, TTL: 9_000_000_001 }),
    () => call('Lease/LeaseRevoke', { ID: 777 }),
    () => call('Maintenance/Alarm', { action: 'GET' }),
    () => call('Maintenance/Alarm', { action: 'DEACTIVATE', alarm: 'NOSPACE' }),
    () => call('Maintenance/MoveLeader', { targetID: 1 }),
    () => call('Cluster/MemberRemove', { ID: 1 }),
    () => call('Cluster/MemberPromote', { ID: 1 }),
    () => call('Cluster/MemberAdd', { peerURLs: ['no url'] }),
  ])()
}

function twice(op: Json): readonly Json[] {
  return [op, op]
}
