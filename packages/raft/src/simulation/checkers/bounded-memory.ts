// Bounded memory: what a member holds and sends never exceeds the limits it was given. Counted from outside, entry by entry, now and then;
// the cheap half (sizes of messages) at every Ready.
import { entryType, type Entry, type RaftStatus, type Ready } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

/** What an entry costs beside its payload, as the limits count it. */
const entryOverheadBytes = 32
/** Looked at after every so-manieth input of a member. */
const sampleEvery = 16
/** The one that opens the term, and those of one proposal, which is taken whatever its size. */
const freeEntriesMax = 5

export class BoundedMemory implements Checker {
  readonly property = 'bounded memory'
  readonly #stepCounts = new Map<number, number>()

  handingOut({ id, config }: ObservedMember, ready: Ready): void {
    for (const message of ready.send) {
      if (message.type !== 'appendEntries' || message.entries.length < 2) continue
      const size = sizeOf(message.entries)
      if (size <= config.messageSizeBytesMax) continue
      throw new Violation(this.property, `${id} sends ${size} bytes of entries in one message`)
    }
  }

  stepped(member: ObservedMember, status: RaftStatus): void {
    const count = (this.#stepCounts.get(member.life) ?? 0) + 1
    this.#stepCounts.set(member.life, count)
    if (count % sampleEvery !== 0) return
    this.#checkCache(member, status)
    if (status.role === 'leader') this.#checkTail(member, status)
  }

  /** Applied entries leave memory beyond the limit. */
  #checkCache({ id, core, config }: ObservedMember, { appliedIndex }: RaftStatus): void {
    const limit = config.entryCacheSizeBytesMax
    if (limit === undefined) return
    let size = 0
    for (let i = appliedIndex; ; i--) {
      const entry = core.log.entryAt(i)
      if (entry === undefined) return
      size += sizeOf([entry])
      if (size <= limit) continue
      throw new Violation(this.property, `${id} holds more than ${limit} bytes of applied entries`)
    }
  }

  /** What a leader has taken and nobody has committed yet. */
  #checkTail({ id, core, config }: ObservedMember, status: RaftStatus): void {
    const tail: Entry[] = []
    for (let i = status.commitIndex + 1; i <= status.lastIndex; i++) {
      const entry = core.log.entryAt(i)
      if (entry?.term === status.term && entry.type === entryType.normal) tail.push(entry)
    }
    const size = sizeOf(tail)
    if (tail.length <= freeEntriesMax || size <= config.uncommittedSizeBytesMax) return
    throw new Violation(this.property, `${id} has taken ${size} bytes that are not committed`)
  }
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((size, { data }) => size + data.length + entryOverheadBytes, 0)
}
