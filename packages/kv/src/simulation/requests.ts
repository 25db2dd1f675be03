// What the simulated clients ask, drawn from the seed's chances. Every put has a value of its own, so that it can be found again.
import type { SeededRandom } from '@balsa/raft/simulation'
import { prefixEnd } from '../mvcc/key-range.ts'
import {
  compareResult,
  compareTarget,
  sortOrder,
  sortTarget,
  type Compare,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from '../proto/messages.ts'
import type { MemberProfile, RequestWeights } from './profile.ts'

export type KvRequest =
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compact'; readonly revision: number; readonly physical: boolean }
  | { readonly type: 'leaseGrant'; readonly id: bigint; readonly ttl: number }
  | { readonly type: 'leaseRevoke'; readonly id: bigint }
  | { readonly type: 'leaseKeepAlive'; readonly id: bigint }
  | { readonly type: 'leaseTimeToLive'; readonly id: bigint }
  | { readonly type: 'hashKv'; readonly revision: number }
  | { readonly type: 'defragment' }

const noBytes: Uint8Array = new Uint8Array(0)
const ttlSecondsMax = 4
/** Leases that a client remembers. */
const leasesMax = 6

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

export const anyRange: RangeRequest = {
  key: bytes('\0'),
  rangeEnd: bytes('\0'),
  limit: 0,
  revision: 0,
  sortOrder: sortOrder.none,
  sortTarget: sortTarget.key,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
}

/** Draws for all clients of a run: leases are known to all. */
export class Requests {
  readonly #profile: MemberProfile
  readonly #random: SeededRandom
  /** The newest revision that any client has heard of. */
  #knownRevision = 1
  #values = 0
  #leases: bigint[] = []
  #lastLease = 0

  constructor(profile: MemberProfile, random: SeededRandom) {
    this.#profile = profile
    this.#random = random
  }

  heard(revision: number): void {
    this.#knownRevision = Math.max(this.#knownRevision, revision)
  }

  next(): KvRequest {
    const kind = this.#kind()
    if (kind === 'put') return { type: 'put', request: this.#putOrTtlPut() }
    if (kind === 'range') return { type: 'range', request: this.range() }
    if (kind === 'deleteRange') return { type: 'deleteRange', request: this.#delete() }
    if (kind === 'txn') return { type: 'txn', request: this.#txn() }
    if (kind === 'compact') {
      const revision = Math.max(1, this.#knownRevision - this.#random.integer(-1, 12))
      return { type: 'compact', revision, physical: this.#random.chance(0.5) }
    }
    if (kind === 'lease') return this.#leaseRequest()
    if (kind === 'hashKv') return { type: 'hashKv', revision: this.#oldRevision(0.7) }
    return { type: 'defragment' }
  }

  #kind(): keyof RequestWeights {
    const { weights } = this.#profile
    const kinds = Object.entries(weights) as [keyof RequestWeights, number][]
    const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
    let rest = this.#random.next() * total
    for (const [kind, weight] of kinds) {
      rest -= weight
      if (rest < 0) return kind
    }
    return 'put'
  }

  #putOrTtlPut(): PutRequest {
    const random = this.#random
    const { ttlPutRate } = this.#profile.extras
    if (ttlPutRate === 0 || !random.chance(ttlPutRate)) return this.put()
    return { ...this.put(), lease: this.#newLease(), ttlSeconds: random.integer(1, ttlSecondsMax) }
  }

  put(): PutRequest {
    return {
      key: this.#key(),
      value: bytes(`v${++this.#values}`),
      lease: this.#random.chance(0.4) ? this.#anyLease() : 0n,
      prevKv: this.#random.chance(0.3),
      ignoreValue: false,
      ignoreLease: false,
    }
  }

  range(): RangeRequest {
    const random = this.#random
    const isSorted = random.chance(0.2)
    return {
      ...anyRange,
      ...this.#keys(0.6),
      limit: random.chance(0.3) ? random.integer(1, 3) : 0,
      revision: this.#oldRevision(0.4),
      serializable: random.chance(0.3),
      keysOnly: random.chance(0.1),
      countOnly: random.chance(0.1),
      minModRevision: random.chance(0.1) ? this.#oldRevision(1) : 0,
      sortOrder: isSorted ? sortOrder.descend : sortOrder.none,
      sortTarget: isSorted && random.chance(0.5) ? sortTarget.mod : sortTarget.key,
    }
  }

  /** 0, or one that may be compacted, and now and then one of the future. */
  #oldRevision(rate: number): number {
    const random = this.#random
    if (!random.chance(rate)) return 0
    return Math.max(1, this.#knownRevision - random.integer(-1, random.pick([3, 20, 100]) ?? 3))
  }

  #delete(): DeleteRangeRequest {
    return { ...this.#keys(0.3), prevKv: this.#random.chance(0.4) }
  }

  /** No key is put twice, and none that is deleted: the branches hold one write for each key at most. */
  #txn(): TxnRequest {
    const random = this.#random
    const compare = Array.from({ length: random.integer(0, 2) }, () => this.#compare())
    return { compare, success: this.#ops(), failure: random.chance(0.5) ? this.#ops() : [] }
  }

  #ops(): RequestOp[] {
    const random = this.#random
    const ops: RequestOp[] = []
    const written = new Set<string>()
    const isReadOnly = random.chance(0.2)
    const count = random.integer(1, 4)
    for (let i = 0; i < count; i++) {
      const dice = random.next()
      if (isReadOnly || dice < 0.35) {
        const request = this.range()
        ops.push({ type: 'range', request: { ...request, serializable: false } })
        continue
      }
      const key = this.#key()
      const name = Buffer.from(key).toString('latin1')
      if (written.has(name)) continue
      written.add(name)
      if (dice < 0.75) ops.push({ type: 'put', request: { ...this.put(), key } })
      else {
        const request = { key, rangeEnd: noBytes, prevKv: random.chance(0.5) }
        ops.push({ type: 'deleteRange', request })
      }
    }
    return ops
  }

  #compare(): Compare {
    const random = this.#random
    const target = random.integer(0, 4)
    const isMod = target === compareTarget.mod || target === compareTarget.create
    return {
      result: random.pick([compareResult.equal, compareResult.greater, compareResult.less, 3]) ?? 0,
      target,
      ...(random.chance(0.8) ? { key: this.#key(), rangeEnd: noBytes } : this.#keys(1)),
      number: isMod ? this.#oldRevision(0.6) : random.integer(0, 2),
      value:
        target === compareTarget.value ? bytes(`v${random.integer(1, this.#values + 1)}`) : noBytes,
      lease: target === compareTarget.lease ? this.#anyLease() : 0n,
    }
  }

  #leaseRequest(): KvRequest {
    const random = this.#random
    const dice = random.next()
    if (dice < 0.35 || this.#leases.length === 0) return this.#grant()
    const id = this.#anyLease()
    if (dice < 0.45) return { type: 'leaseRevoke', id }
    return dice < 0.85 ? { type: 'leaseKeepAlive', id } : { type: 'leaseTimeToLive', id }
  }

  #grant(): KvRequest {
    const id = this.#newLease()
    return { type: 'leaseGrant', id, ttl: this.#random.integer(1, ttlSecondsMax) }
  }

  /** Names are never used again. */
  #newLease(): bigint {
    const id = BigInt(++this.#lastLease)
    this.#leases.push(id)
    if (this.#leases.length > leasesMax) this.#leases = this.#leases.slice(-leasesMax)
    return id
  }

  #anyLease(): bigint {
    return this.#random.pick(this.#leases) ?? 0n
  }

  #key(): Uint8Array {
    return bytes(this.#keyName())
  }

  #keyName(): string {
    const number = this.#random.integer(0, this.#profile.keyCount - 1)
    return `${number % 2 === 0 ? 'a' : 'b'}/${number}`
  }

  /** One key, a prefix or all of them. */
  #keys(rangeRate: number): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    const random = this.#random
    if (!random.chance(rangeRate)) return { key: this.#key(), rangeEnd: noBytes }
    if (random.chance(0.4)) return { key: anyRange.key, rangeEnd: anyRange.rangeEnd }
    const prefix = bytes(random.chance(0.5) ? 'a/' : 'b/')
    return { key: prefix, rangeEnd: prefixEnd(prefix) }
  }

  /** What a watcher looks at. */
  watched(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    return this.#keys(0.7)
  }

  /** 0: from now on. */
  watchStart(): number {
    const dice = this.#random.next()
    if (dice < 0.4) return 0
    if (dice < 0.55) return this.#knownRevision + this.#random.integer(0, 5)
    return this.#oldRevision(1)
  }
}
