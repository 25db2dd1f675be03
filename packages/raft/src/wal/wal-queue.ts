// What waits to be written to the log: the work of several turns that one record will hold, and what needs no sync of its own and goes
// along with the next record.
import type { HardState, Persist, SnapshotMeta } from '../core/types.ts'
import type { RecordItem } from './record-body.ts'

/** Payload bytes that share one write; one larger Persist still goes alone. */
const writeSizeBytesMax = 4 * 1024 * 1024

export type Work =
  | { readonly type: 'persist'; readonly sequence: number; readonly persist: Persist | undefined }
  | { readonly type: 'compact'; readonly base: SnapshotMeta }

export class WalQueue {
  #works: Work[] = []
  #lazyHardState: HardState | undefined
  #lazyBase: SnapshotMeta | undefined
  #lazyGeneration: number | undefined

  get isEmpty(): boolean {
    return this.#works.length === 0
  }

  /** Whether something waits for the next record. */
  get isKeeping(): boolean {
    return (this.#lazyHardState ?? this.#lazyBase) !== undefined
  }

  push(work: Work): void {
    this.#works.push(work)
  }

  clear(): void {
    this.#works = []
  }

  /** As much as belongs into one record, oldest first. */
  take(): { readonly works: readonly Work[]; readonly mustSync: boolean } {
    let size = 0
    let count = 0
    let mustSync = false
    for (const work of this.#works) {
      if (count > 0 && size >= writeSizeBytesMax) break
      count++
      if (work.type !== 'persist' || work.persist === undefined) continue
      mustSync ||= work.persist.mustSync
      for (const entry of work.persist.entries) size += entry.data.length
    }
    return { works: this.#works.splice(0, count), mustSync }
  }

  keepForLater(works: readonly Work[]): void {
    for (const work of works) {
      if (work.type === 'compact') this.#lazyBase = work.base
      else this.#lazyHardState = work.persist?.hardState ?? this.#lazyHardState
    }
  }

  joinGeneration(generation: number): void {
    this.#lazyGeneration = generation
  }

  /** In the order in which they came, with what was kept before: of hard states the last one is enough. */
  collectItems(works: readonly Work[]): RecordItem[] {
    const items: RecordItem[] = []
    let hardState = this.#lazyHardState
    if (this.#lazyGeneration !== undefined) {
      items.push({ type: 'generation', generation: this.#lazyGeneration })
    }
    if (this.#lazyBase !== undefined) items.push({ type: 'compacted', base: this.#lazyBase })
    this.#lazyHardState = undefined
    this.#lazyBase = undefined
    this.#lazyGeneration = undefined
    for (const work of works) {
      if (work.type === 'compact') items.push({ type: 'compacted', base: work.base })
      else if (work.persist !== undefined) {
        const { snapshot, entries } = work.persist
        if (snapshot !== undefined) items.push({ type: 'replaced', base: snapshot })
        if (entries.length > 0) items.push({ type: 'entries', entries })
        hardState = work.persist.hardState ?? hardState
      }
    }
    if (hardState !== undefined) items.push({ type: 'hardState', hardState })
    return items
  }
}
