// Whether a caller may do what it asks. The same checks run when a read is answered and when a write is applied; they throw what the
// client is told. Requests come decoded: nothing is decoded twice for the sake of a check.
import { KvError } from '../errors.ts'
import { keyRange, type KeyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../proto/messages.ts'
import type { User } from './auth-rows.ts'
import { isRoot, type AuthStore } from './auth-store.ts'
import type { Caller } from './caller.ts'

const noBytes = new Uint8Array(0)

/** The keys that hang on a lease, in text form; none for one that does not exist. */
export type LeasedKeys = (id: bigint) => Iterable<string>

export class Permits {
  readonly #store: () => AuthStore
  readonly #leasedKeys: LeasedKeys

  /** Both are asked anew for every check: a snapshot may have taken the place of what was there. */
  constructor(store: () => AuthStore, leasedKeys: LeasedKeys) {
    this.#store = store
    this.#leasedKeys = leasedKeys
  }

  get isEnabled(): boolean {
    return this.#store().isEnabled
  }

  range(caller: Caller, { key, rangeEnd }: RangeKeys): void {
    if (!this.isEnabled) return
    const user = this.#userOf(caller)
    if (user !== undefined) this.#read(user, keyRange(key, rangeEnd))
  }

  put(caller: Caller, request: PutRequest): void {
    if (!this.isEnabled) return
    const user = this.#userOf(caller)
    if (user !== undefined) this.#put(user, request)
  }

  deleteRange(caller: Caller, request: DeleteRangeRequest): void {
    if (!this.isEnabled) return
    const user = this.#userOf(caller)
    if (user !== undefined) this.#deleteRange(user, request)
  }

  /** Compares and both branches, whichever will be taken. One without any is open to all, as in etcd. */
  txn(caller: Caller, request: TxnRequest): void {
    if (!this.isEnabled || isEmptyTxn(request)) return
    const user = this.#userOf(caller)
    if (user !== undefined) this.#txn(user, request)
  }

  /** Whoever ends a lease deletes its keys. */
  leaseRevoke(caller: Caller, id: bigint): void {
    if (!this.isEnabled) return
    const user = this.#userOf(caller)
    if (user !== undefined) this.#writeLeased(user, id)
  }

  /** Whoever is told of leases is told of their keys. */
  leaseKeys(caller: Caller, ids: Iterable<bigint>): void {
    if (!this.isEnabled) return
    const user = this.#userOf(caller)
    if (user === undefined) return
    for (const id of ids) {
      for (const key of this.#leasedKeys(id)) this.#read(user, { from: key, to: key + '\0' })
    }
  }

  keys(caller: Caller, keys: readonly Uint8Array[]): void {
    if (!this.isEnabled || keys.length === 0) return
    const user = this.#userOf(caller)
    if (user === undefined) return
    for (const key of keys) this.#read(user, keyRange(key, noBytes))
  }

  /** Anyone who is known. */
  anyUser(caller: Caller): void {
    if (this.isEnabled && caller.kind === 'stranger') throw new KvError('USER_EMPTY')
  }

  /** Those with the role root. */
  admin(caller: Caller): void {
    if (!this.isEnabled || caller.kind === 'owner') return
    if (caller.kind === 'stranger' || caller.name === '') throw new KvError('USER_EMPTY')
    const user = this.#store().user(caller.name)
    // A name that a certificate or an old token gave: etcd has words for it here, and none for keys.
    if (user === undefined) throw new KvError('USER_NOT_FOUND')
    if (!isRoot(user)) throw new KvError('PERMISSION_DENIED')
  }

  /** A user may look at itself. As in etcd a stranger is the user without a name, which there never is. */
  seeUser(caller: Caller, name: string): void {
    const isSelf = caller.kind === 'user' ? caller.name === name : name === ''
    if (!isSelf) this.admin(caller)
  }

  /** A user may look at its roles. */
  seeRole(caller: Caller, role: string): void {
    const user = caller.kind === 'user' ? this.#store().user(caller.name) : undefined
    if (user === undefined || !user.roles.includes(role)) this.admin(caller)
  }

  /** To be asked after a read that took a while: what was read may not be for this caller's eyes any more. */
  stillGood(caller: Caller): void {
    if (!this.isEnabled || caller.kind === 'owner') return
    if (caller.kind === 'stranger') throw new KvError('USER_EMPTY')
    if (caller.revision !== this.#store().revision) throw new KvError('AUTH_OLD_REVISION')
  }

  /** Undefined: one who may do everything. */
  #userOf(caller: Caller): User | undefined {
    if (caller.kind === 'owner') return undefined
    if (caller.kind === 'stranger') throw new KvError('USER_EMPTY')
    const store = this.#store()
    if (caller.revision < store.revision) throw new KvError('AUTH_OLD_REVISION')
    const user = store.user(caller.name)
    if (user === undefined) throw new KvError('PERMISSION_DENIED')
    return isRoot(user) ? undefined : user
  }

  #read(user: User, range: KeyRange): void {
    if (!this.#store().mayRead(user, range)) throw new KvError('PERMISSION_DENIED')
  }

  #write(user: User, range: KeyRange): void {
    if (!this.#store().mayWrite(user, range)) throw new KvError('PERMISSION_DENIED')
  }

  #put(user: User, request: PutRequest): void {
    const from = keyText(request.key)
    const range = { from, to: from + '\0' }
    this.#write(user, range)
    // The key will go with the lease's other keys: that is a say over them.
    if (request.lease !== 0n) this.#writeLeased(user, request.lease)
    if (request.prevKv) this.#read(user, range)
  }

  #deleteRange(user: User, request: DeleteRangeRequest): void {
    const range = keyRange(request.key, request.rangeEnd)
    this.#write(user, range)
    if (request.prevKv) this.#read(user, range)
  }

  #txn(user: User, { compare, success, failure }: TxnRequest): void {
    for (const { key, rangeEnd } of compare) this.#read(user, keyRange(key, rangeEnd))
    for (const op of success) this.#op(user, op)
    for (const op of failure) this.#op(user, op)
  }

  #op(user: User, op: RequestOp): void {
    if (op === undefined) return
    if (op.type === 'range') this.#read(user, keyRange(op.request.key, op.request.rangeEnd))
    else if (op.type === 'put') this.#put(user, op.request)
    else if (op.type === 'deleteRange') this.#deleteRange(user, op.request)
    else this.#txn(user, op.request)
  }

  #writeLeased(user: User, id: bigint): void {
    for (const key of this.#leasedKeys(id)) this.#write(user, { from: key, to: key + '\0' })
  }
}

type RangeKeys = Pick<RangeRequest, 'key' | 'rangeEnd'>

function isEmptyTxn({ compare, success, failure }: TxnRequest): boolean {
  return compare.length === 0 && success.length === 0 && failure.length === 0
}
