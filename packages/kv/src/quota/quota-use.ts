// One rule and what is used of it. Keys that were there before the rule are counted in slices, in key order; meanwhile a change counts only
// below the place that the slices have come to, since they come by the rest themselves.
import { keyText } from '../mvcc/key-text.ts'
import type { MvccStore } from '../mvcc/store.ts'
import { decodeKeyValue } from '../proto/index.ts'
import type { EncodedKeyValue } from '../proto/messages.ts'
import { quotaRange, type QuotaRule } from './quota-rule.ts'
import { WriteBucket } from './write-bucket.ts'

/** Keys and bytes. */
export interface Amount {
  readonly keys: number
  readonly sizeBytes: number
}

export class QuotaUse {
  readonly rule: QuotaRule
  /** Of the rule, as text. */
  readonly prefix: string
  readonly bucket: WriteBucket | undefined
  #keys = 0
  #sizeBytes = 0
  /** Keys from here on are not counted yet; undefined: all are. */
  #cursor: string | undefined
  /** Let through and not applied yet. */
  #pendingKeys = 0
  #pendingBytes = 0
  #pendingWrites = 0
  #refused = 0

  constructor(rule: QuotaRule, nowMs: number) {
    this.rule = rule
    this.prefix = keyText(rule.prefix)
    const { writesPerSecondMax } = rule
    this.bucket = writesPerSecondMax > 0 ? new WriteBucket(writesPerSecondMax, nowMs) : undefined
    this.#cursor = this.isCounting ? quotaRange(rule.prefix).from : undefined
  }

  /** Whether keys and bytes matter. */
  get isCounting(): boolean {
    return this.rule.keysMax > 0 || this.rule.sizeBytesMax > 0
  }

  get isCounted(): boolean {
    return this.#cursor === undefined
  }

  get used(): Amount {
    return { keys: this.#keys, sizeBytes: this.#sizeBytes }
  }

  get refused(): number {
    return this.#refused
  }

  /** Counts up to `keysMax` more keys; returns how many it looked at. */
  count(store: MvccStore, keysMax: number): number {
    if (this.#cursor === undefined) return 0
    const { to } = quotaRange(this.rule.prefix)
    let seen = 0
    let next: string | undefined
    store.index.scan({ from: this.#cursor, to }, (record) => {
      if (seen === keysMax) {
        next = record.key
        return false
      }
      seen++
      if (record.version > 0) {
        this.#keys++
        this.#sizeBytes += pairSizeBytes(store.read(record.main, record.sub))
      }
      return true
    })
    this.#cursor = next
    return seen
  }

  /** A key changed: what was there before and what is now; undefined: nothing. */
  changed(
    key: string,
    before: EncodedKeyValue | undefined,
    after: EncodedKeyValue | undefined,
  ): void {
    if (this.#cursor !== undefined && key >= this.#cursor) return
    this.#keys += Number(after !== undefined) - Number(before !== undefined)
    this.#sizeBytes += sizeOf(after) - sizeOf(before)
  }

  /** 'keys' or 'sizeBytes': what there is no room for. Less than before always fits. */
  lacksRoom(added: Amount): 'keys' | 'sizeBytes' | undefined {
    const { keysMax, sizeBytesMax } = this.rule
    const keys = this.#keys + this.#pendingKeys + added.keys
    if (keysMax > 0 && added.keys > 0 && keys > keysMax) return 'keys'
    const sizeBytes = this.#sizeBytes + this.#pendingBytes + added.sizeBytes
    return sizeBytesMax > 0 && added.sizeBytes > 0 && sizeBytes > sizeBytesMax
      ? 'sizeBytes'
      : undefined
  }

  hasWriteLeft(nowMs: number): boolean {
    return this.bucket?.hasRoom(nowMs, this.#pendingWrites) ?? true
  }

  /** A write is let through; `sign` -1 when its fate is known. */
  reserve({ keys, sizeBytes }: Amount, sign: 1 | -1): void {
    this.#pendingKeys += sign * Math.max(keys, 0)
    this.#pendingBytes += sign * Math.max(sizeBytes, 0)
    this.#pendingWrites += sign
  }

  refuse(): void {
    this.#refused++
  }
}

/** Of the key and the value. */
export function pairSizeBytes(pair: EncodedKeyValue): number {
  const { key, value } = decodeKeyValue(pair)
  return key.length + value.length
}

function sizeOf(pair: EncodedKeyValue | undefined): number {
  return pair === undefined ? 0 : pairSizeBytes(pair)
}
