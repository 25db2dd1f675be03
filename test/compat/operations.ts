// Draws operations: all of KV, leases, watches, compaction, maintenance and users, among them what a server must refuse. The same seed draws the same ones.
import { SeededRandom } from '@balsa/raft/simulation'
import { drawAuth, drawUser } from './auth-operations.ts'
import { drawInvalid } from './invalid-operations.ts'
import {
  deleteBody,
  ends,
  keys,
  leases,
  maybe,
  near,
  pick,
  putBody,
  rangeBody,
  readOnlyTxnBody,
  txnBody,
} from './kv-bodies.ts'
import { call, type Operation } from './operation.ts'
import { isGuardedMethod } from './stricter.ts'

const watchStreams = 3
/** Every so many operations all that can be compared is. */
const settleEvery = 1_000
/** Once between two of them some watches begin in the past, close to each other: etcd makes all of them wait for up to 100 ms. */
const oldWatchesSteps = 12
const readsMax = 16

export interface DrawOptions {
  readonly seed: number
  readonly count: number
  /** Methods that are left out. */
  readonly without: readonly string[]
}

export function* drawOperations({ seed, count, without }: DrawOptions): Generator<Operation> {
  const random = new SeededRandom(seed)
  const hasUsers = random.chance(0.5)
  let drawn = 0
  while (drawn < count) {
    const till = Math.min(drawn + settleEvery, count)
    const oldWatchesAt = drawn + random.integer(0, settleEvery)
    while (drawn < till) {
      const isOldTime = drawn >= oldWatchesAt && drawn < oldWatchesAt + oldWatchesSteps
      for (const operation of drawSome(random, hasUsers, isOldTime)) {
        drawn++
        if (operation.type !== 'call' || !without.includes(operation.method)) yield operation
      }
    }
    yield { type: 'settle' }
  }
}

function drawSome(
  random: SeededRandom,
  hasUsers: boolean,
  isOldTime: boolean,
): readonly Operation[] {
  if (hasUsers && random.chance(0.03)) return drawAuth(random)
  // While an alarm is on, 3.4 does not ask who may do what.
  if (!hasUsers && !isOldTime && random.chance(0.001)) return underAlarm(random)
  const drawn = drawOthers(random, isOldTime)
  return hasUsers ? drawn.map((operation) => withUser(operation, random)) : drawn
}

function drawOthers(random: SeededRandom, isOldTime: boolean): readonly Operation[] {
  if (isOldTime && random.chance(0.4)) return [drawWatch(random, true)]
  if (random.chance(0.18)) {
    return Array.from({ length: random.integer(1, readsMax) }, () => drawRead(random))
  }
  const dice = random.next()
  if (dice < 0.4) return [call('KV/Put', putBody(random))]
  if (dice < 0.5) return [call('KV/DeleteRange', deleteBody(random))]
  if (dice < 0.84) return [call('KV/Txn', txnBody(random, 3))]
  if (dice < 0.94) return [drawLease(random)]
  if (dice < 0.96) return [drawInvalid(random)]
  if (dice < 0.985) return [drawWatch(random, false)]
  return isOldTime ? [] : drawRare(random)
}

function withUser(operation: Operation, random: SeededRandom): Operation {
  const isOfUser = operation.type === 'call' || operation.type === 'watch'
  if (!isOfUser || operation.as !== undefined) return operation
  const user = drawUser(random, operation.type === 'call' && isGuardedMethod(operation.method))
  return user === undefined ? operation : { ...operation, as: user }
}

function drawRead(random: SeededRandom): Operation {
  const dice = random.next()
  if (dice < 0.6) return call('KV/Range', rangeBody(random))
  if (dice < 0.75) return call('KV/Txn', readOnlyTxnBody(random))
  const ID = pick(random, leases)
  if (dice < 0.84) return call('Lease/LeaseTimeToLive', { ID, keys: random.chance(0.7) })
  if (dice < 0.88) return call('Lease/LeaseLeases', {})
  if (dice < 0.92) return call('Lease/LeaseKeepAlive', { ID })
  if (dice < 0.96) {
    const revision = random.chance(0.5) ? 0 : near(random, 40)
    return call('Maintenance/HashKV', { revision })
  }
  if (dice < 0.97) return call('Maintenance/Alarm', { action: 'GET' })
  return call(dice < 0.985 ? 'Maintenance/Status' : 'Cluster/MemberList', {})
}

function drawLease(random: SeededRandom): Operation {
  const ID = pick(random, leases)
  // Nothing expires while the run lasts.
  const TTL = random.integer(50_000, 90_000)
  return random.chance(0.7)
    ? call('Lease/LeaseGrant', { ID, TTL })
    : call('Lease/LeaseRevoke', { ID })
}

function drawWatch(random: SeededRandom, isOld: boolean): Operation {
  const isFuture = !isOld && random.chance(0.1)
  return {
    type: 'watch',
    stream: random.integer(0, watchStreams - 1),
    body: {
      key: random.chance(0.02) ? '' : pick(random, keys),
      ...maybe(random, 0.6, () => ({ range_end: pick(random, ends) })),
      ...(isOld ? { start_revision: { back: random.integer(0, 120) } } : {}),
      ...(isFuture ? { start_revision: { back: -random.integer(1, 4) } } : {}),
      ...maybe(random, 0.4, () => ({ prev_kv: true })),
      ...maybe(random, 0.2, () => ({ filters: [pick(random, ['NOPUT', 'NODELETE'])] })),
      ...maybe(random, 0.02, () => ({ filters: ['NOPUT', 'NODELETE'] })),
      ...maybe(random, 0.2, () => ({ watch_id: random.integer(1, 12) })),
      ...maybe(random, 0.1, () => ({ fragment: true })),
      ...maybe(random, 0.1, () => ({ progress_notify: true })),
    },
  }
}

/** What makes both wait until all watches have heard all, or changes the server itself. */
function drawRare(random: SeededRandom): readonly Operation[] {
  const stream = random.integer(0, watchStreams - 1)
  const draws: readonly (() => readonly Operation[])[] = [
    () => [call('KV/Compact', { revision: near(random, 60), physical: true })],
    () => [call('KV/Compact', { revision: near(random, 60) })],
    () => [{ type: 'cancel', stream, nth: random.integer(0, 9) }],
    () => [{ type: 'cancel', stream, nth: random.integer(0, 9) }],
    () => [{ type: 'progress', stream }],
    () => [{ type: 'close', stream }],
    () => (random.chance(0.2) ? [call('Maintenance/Defragment', {}, 'root')] : []),
  ]
  return pick(random, draws)()
}

/** What is still done while an alarm is on. */
function underAlarm(random: SeededRandom): readonly Operation[] {
  const alarm = random.chance(0.8) ? 'NOSPACE' : 'CORRUPT'
  const some = Array.from({ length: random.integer(1, 6) }, () => drawOthers(random, true))
  return [
    call('Maintenance/Alarm', { action: 'ACTIVATE', alarm }, 'root'),
    call('Maintenance/Status', {}),
    ...some.flat(),
    call('Maintenance/Alarm', { action: 'GET' }),
    call('Maintenance/Alarm', { action: 'DEACTIVATE', alarm }, 'root'),
  ]
}
