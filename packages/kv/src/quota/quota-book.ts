// The rules of all prefixes and users, and what is used of them. The log says which rules there are; what is used follows from the store, so
// it is kept in memory alone and is the same wherever it is counted. Only the way into the log looks at it: what is in the log is applied.
import type { Caller } from '../auth/caller.ts'
import { KvError } from '../errors.ts'
import type { Change } from '../mvcc/change.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import type { MvccStore } from '../mvcc/store.ts'
import type { Tables } from '../mvcc/tables.ts'
import { decodeQuotaRule, encodeQuotaRule } from '../proto/index.ts'
import { decodeUtf8 } from '../proto/wire/utf8.ts'
import {
  checkQuotaRule,
  quotaId,
  quotaRowKey,
  quotaRulesMax,
  type QuotaRule,
  type QuotaSubject,
} from './quota-rule.ts'
import { QuotaUse, type Amount } from './quota-use.ts'
import type { PlannedWrite } from './planned-write.ts'

/** Gives back what a write that was let through had reserved; called once. */
export type Release = () => void

export class QuotaBook {
  readonly #tables: Tables
  readonly #uses = new Map<string, QuotaUse>()
  /** Of prefixes, by prefix; and how long those are. */
  readonly #ofPrefix = new Map<string, QuotaUse>()
  #lengths: readonly number[] = []

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** Rules there are: with none, all else costs nothing. */
  get size(): number {
    return this.#uses.size
  }

  /** In order: prefixes, then users. */
  list(): QuotaUse[] {
    const sorted = [...this.#uses].sort(([a], [b]) => (a < b ? -1 : 1))
    return sorted.map(([, use]) => use)
  }

  /** Throws QUOTA_MALFORMED or TOO_MANY_QUOTAS. */
  set(rule: QuotaRule, nowMs: number): void {
    checkQuotaRule(rule)
    const isNew = !this.#uses.has(quotaId(rule))
    if (isNew && this.#uses.size >= quotaRulesMax) throw new KvError('TOO_MANY_QUOTAS')
    this.#tables.put(quotaRowKey(rule), encodeQuotaRule(rule))
    this.#add(rule, nowMs)
  }

  /** Throws QUOTA_NOT_FOUND. */
  remove(subject: QuotaSubject): void {
    const id = quotaId(subject)
    if (!this.#uses.delete(id)) throw new KvError('QUOTA_NOT_FOUND')
    this.#tables.delete(quotaRowKey(subject))
    if (subject.user === '') this.#ofPrefix.delete(keyText(subject.prefix))
    this.#sortLengths()
  }

  /** Takes in a stored rule while loading. */
  loadRow(value: Uint8Array, nowMs: number): void {
    this.#add(decodeQuotaRule(value), nowMs)
  }

  /** Counts up to `keysMax` keys that no rule has counted yet; false: there are more. */
  count(store: MvccStore, keysMax: number): boolean {
    let left = keysMax
    for (const use of this.#uses.values()) {
      left -= use.count(store, left)
      if (!use.isCounted) return false
    }
    return true
  }

  /** A write was applied; `changes` are all of its revision. */
  wrote(changes: readonly Change[], caller: Caller, store: MvccStore, nowMs: number): void {
    if (this.#uses.size === 0 || changes.length === 0) return
    const touched = new Set<QuotaUse>()
    const user = this.#ofUser(caller)
    if (user !== undefined) touched.add(user)
    if (this.#lengths.length > 0) {
      for (const [first, last] of byKey(changes)) {
        const uses = this.#ofKey(first.key)
        for (const use of uses) touched.add(use)
        const counting = uses.filter((use) => use.isCounting)
        if (counting.length === 0) continue
        const before = store.readPrevious(first)
        for (const use of counting) {
          use.changed(first.key, before, last.deleted ? undefined : last.row)
        }
      }
    }
    for (const use of touched) use.bucket?.take(nowMs)
  }

  /** Lets a write through and reserves what it may need. Throws QUOTA_EXCEEDED or RATE_EXCEEDED. */
  admit(write: PlannedWrite, caller: Caller, nowMs: number): Release {
    const amounts = new Map<QuotaUse, Amount>()
    const user = this.#ofUser(caller)
    if (user !== undefined) amounts.set(user, nothing)
    for (const key of write.keys()) {
      for (const use of this.#ofKey(key)) if (!amounts.has(use)) amounts.set(use, nothing)
    }
    if (write.isDeleting) {
      for (const use of this.#ofPrefix.values()) {
        if (!amounts.has(use) && write.deletesIn(use.rule.prefix)) amounts.set(use, nothing)
      }
    }
    for (const use of amounts.keys()) {
      if (use.isCounting) amounts.set(use, write.added(use.prefix))
    }
    for (const [use, added] of amounts) check(use, added, nowMs)
    for (const [use, added] of amounts) use.reserve(added, 1)
    return () => {
      for (const [use, added] of amounts) use.reserve(added, -1)
    }
  }

  #add(rule: QuotaRule, nowMs: number): void {
    const use = new QuotaUse(rule, nowMs)
    this.#uses.set(quotaId(rule), use)
    if (rule.user === '') this.#ofPrefix.set(keyText(rule.prefix), use)
    this.#sortLengths()
  }

  #sortLengths(): void {
    this.#lengths = [...new Set([...this.#ofPrefix.keys()].map((prefix) => prefix.length))].sort(
      (a, b) => a - b,
    )
  }

  #ofKey(key: string): QuotaUse[] {
    const uses: QuotaUse[] = []
    for (const length of this.#lengths) {
      if (length > key.length) break
      const use = this.#ofPrefix.get(key.slice(0, length))
      if (use !== undefined) uses.push(use)
    }
    return uses
  }

  #ofUser(caller: Caller): QuotaUse | undefined {
    if (caller.kind !== 'user') return undefined
    return this.#uses.get(quotaId({ prefix: new Uint8Array(0), user: caller.name }))
  }
}

const nothing: Amount = { keys: 0, sizeBytes: 0 }

/** The first and the last change of each key in one revision: what was before it, and what is after. */
function byKey(changes: readonly Change[]): Iterable<readonly [first: Change, last: Change]> {
  const keys = new Map<string, readonly [Change, Change]>()
  for (const change of changes) keys.set(change.key, [keys.get(change.key)?.[0] ?? change, change])
  return keys.values()
}

function check(use: QuotaUse, added: Amount, nowMs: number): void {
  const { rule, used } = use
  const lacking = use.lacksRoom(added)
  const isTooFast = lacking === undefined && !use.hasWriteLeft(nowMs)
  if (lacking === undefined && !isTooFast) return
  use.refuse()
  const name = JSON.stringify(rule.user === '' ? readable(use.prefix) : rule.user)
  const whose = rule.user === '' ? `prefix ${name}` : `user ${name}`
  if (isTooFast) {
    const { writesPerSecondMax } = rule
    const message = `balsa: rate exceeded: ${whose} may write ${writesPerSecondMax} times a second`
    throw new KvError('RATE_EXCEEDED', { message })
  }
  const [have, max, what] =
    lacking === 'keys'
      ? [used.keys, rule.keysMax, 'keys']
      : [used.sizeBytes, rule.sizeBytesMax, 'bytes']
  const message = `balsa: quota exceeded: ${whose} may have ${max} ${what} and has ${have}`
  throw new KvError('QUOTA_EXCEEDED', { message })
}

/** Of a key that is no text, its bytes as characters. */
function readable(prefix: string): string {
  try {
    return decodeUtf8(keyBytes(prefix))
  } catch (reason) {
    if (reason instanceof KvError) return prefix
    throw reason
  }
}
