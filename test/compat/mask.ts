// What differs between two clusters that did the same: ids, terms, and the time that leases have left. It is cut out of the bytes of a reply, so that
// all the rest is compared as it came, byte for byte.
import { fieldsOf, revisionOf, type Field } from './wire-fields.ts'

const headerField = 1
const headerTag = 0x0a
/** Fields of the header: cluster id, member id, raft term; the revision stays. */
const hiddenHeaderFields = new Set([1, 2, 4])
/** Of replies that say more of the clock or of the member. */
const hiddenFields: Readonly<Record<string, readonly number[]>> = {
  'Lease/LeaseTimeToLive': [3],
  'Auth/Authenticate': [2],
  // 3.4 has no such field.
  'Maintenance/HashKV': [4],
  // Sizes, ids and indexes; what 3.4 does not know.
  'Maintenance/Status': [2, 3, 4, 5, 6, 7, 9, 11, 12, 13],
  // Of the bytes of a file.
  'Maintenance/Hash': [2],
}
/** Repeated messages of a member: its id and its addresses are hidden. */
const memberFields: Readonly<Record<string, readonly number[]>> = {
  'Cluster/MemberList': [2],
  'Maintenance/Alarm': [2],
}

/** Methods whose repeated fields come in any order from etcd, which keeps them in maps. */
const unorderedMethods = new Set(['Lease/LeaseTimeToLive', 'Lease/LeaseLeases'])
const memberIds = new Set([1, 3, 4])
const none: readonly number[] = []

/** Whether replies say the same. */
export function isSameReply(method: string, theirs: Buffer, ours: Buffer): boolean {
  if (hiddenFields[method] === undefined && isSameBehindHeader(theirs, ours)) return true
  return masked(method, theirs).equals(masked(method, ours))
}

/** The usual case, without taking the replies apart. */
function isSameBehindHeader(theirs: Buffer, ours: Buffer): boolean {
  const from = headerEnd(theirs)
  const ourFrom = headerEnd(ours)
  return (
    from > 0 &&
    ourFrom > 0 &&
    theirs.compare(ours, ourFrom, ours.length, from, theirs.length) === 0 &&
    revisionOf(theirs.subarray(2, from)) === revisionOf(ours.subarray(2, ourFrom))
  )
}

/** 0: it does not begin with a short header. */
function headerEnd(reply: Buffer): number {
  const sizeBytes = reply[1] ?? 0
  return reply[0] === headerTag && sizeBytes < 0x80 ? 2 + sizeBytes : 0
}

function masked(method: string, reply: Buffer): Buffer {
  const hidden = hiddenFields[method] ?? none
  const members = memberFields[method] ?? none
  const parts: Buffer[] = []
  for (const field of fieldsOf(reply)) {
    if (hidden.includes(field.number)) continue
    if (field.number === headerField) parts.push(...without(field, hiddenHeaderFields))
    else if (members.includes(field.number)) parts.push(...without(field, memberIds))
    else parts.push(field.bytes)
  }
  if (unorderedMethods.has(method)) parts.sort(Buffer.compare)
  return Buffer.concat(parts)
}

const bar = Buffer.from('|')

function without({ content, bytes }: Field, hidden: ReadonlySet<number>): readonly Buffer[] {
  if (content === undefined) return [bytes]
  const shown = fieldsOf(content).filter(({ number }) => !hidden.has(number))
  return [bar, ...shown.map((field) => field.bytes), bar]
}
