// What an operator allows a prefix of keys or a user: how many keys, how many bytes, how many writes a second. A row of the meta table
// each, so that rules come along in snapshots.
import { KvError } from '../errors.ts'
import { keyRange, prefixEnd, type KeyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import type { QuotaRuleMessage } from '../proto/index.ts'
import { encodeUtf8 } from '../proto/wire/utf8.ts'

/** Of a user if it names one, else of a prefix ('' is every key). A limit of 0 is none; keys and bytes are limits of a prefix alone. */
export type QuotaRule = QuotaRuleMessage
export type QuotaSubject = Pick<QuotaRule, 'prefix' | 'user'>

export const quotaRulesMax = 1000
const nameSizeBytesMax = 4096
const limitsNothing = 'it limits nothing: give keys_max, size_bytes_max or writes_per_second_max'
const ruleRowPrefix = 'mquota/'

/** All rows of rules. */
export const quotaRows: { readonly from: string; readonly to: string } = {
  from: ruleRowPrefix,
  to: 'mquota0',
}

/** Tells rules apart. */
export function quotaId({ prefix, user }: QuotaSubject): string {
  return user === '' ? `p${keyText(prefix)}` : `u${keyText(encodeUtf8(user))}`
}

export function quotaRowKey(subject: QuotaSubject): string {
  return ruleRowPrefix + quotaId(subject)
}

/** All keys that a prefix's rule is about. */
export function quotaRange(prefix: Uint8Array): KeyRange {
  if (prefix.length === 0) return { from: '', to: undefined }
  return keyRange(prefix, prefixEnd(prefix))
}

/** Throws QUOTA_MALFORMED. */
export function checkQuotaRule(rule: QuotaRule): void {
  checkSubject(rule)
  const limits = [rule.keysMax, rule.sizeBytesMax, rule.writesPerSecondMax]
  if (!limits.every((limit) => Number.isSafeInteger(limit) && limit >= 0)) {
    throw malformed('a limit is a whole number, 0 or greater')
  }
  if (limits.every((limit) => limit === 0)) throw malformed(limitsNothing)
  if (rule.user !== '' && (rule.keysMax > 0 || rule.sizeBytesMax > 0)) {
    throw malformed('a user has no keys: limit keys and bytes of a prefix')
  }
}

function checkSubject({ prefix, user }: QuotaSubject): void {
  if (prefix.length > 0 && user !== '') throw malformed('it is of a prefix or of a user')
  if (Math.max(prefix.length, encodeUtf8(user).length) > nameSizeBytesMax) {
    throw malformed(`a name has at most ${nameSizeBytesMax} bytes`)
  }
}

function malformed(why: string): KvError {
  return new KvError('QUOTA_MALFORMED', { message: `balsa: bad quota: ${why}` })
}
