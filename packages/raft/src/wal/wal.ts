// The write-ahead log of one member: what the core hands over to persist, durable in order. Group commit: while one record is being
// synced, what arrives gathers for the next one. A failed write or sync ends the log for good: nobody knows what reached the disk.
import { assert } from '../core/assert.ts'
import type {
  Entry,
  HardState,
  LogIndex,
  Membership,
  NodeId,
  Persist,
  SnapshotMeta,
  Term,
} from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, FileSystem } from '../node/ports.ts'
import type { EntryIndex, RecordPlace } from './entry-index.ts'
import { readEntries } from './entry-reader.ts'
import type { LogShape } from './log-shape.ts'
import { StateKeeper } from './member-state.ts'
import { openingItems } from './new-log.ts'
import {
  encodeRecord,
  type EncodedRecord,
  type RecordItem,
  type WalMetadata,
} from './record-body.ts'
import { openLog, type OpenedWal } from './open-log.ts'
import type { FinishedSegment, RecoveredLog } from './recovery.ts'
import { createSegment, type Segment } from './segment.ts'
import { SpareSegments } from './spare-segments.ts'
import { WalQueue } from './wal-queue.ts'

const segmentSizeBytesDefault: number = 64 * 1024 * 1024

export interface WalListener {
  /** Everything appended up to `sequence` is durable. May be called from within append(). */
  durable(sequence: number): void
  synced(durationMs: number, sizeBytes: number): void
  /** The log cannot be used any more. */
  failed(error: Error): void
}

export interface WalOptions {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  /** Of the segments. */
  readonly directory: string
  readonly metadataPath: string
  readonly clusterId: string
  readonly nodeId: NodeId
  /** For a new log; an existing one knows its own. */
  readonly initialMembership: Membership
  readonly segmentSizeBytes?: number
  /** As long as the member lives; left out: whatever it is. */
  readonly isWitness?: boolean
  /** There is more of the member than the log: one that is missing was lost. */
  readonly hasData?: boolean
  /** What happens with a damaged log whose member others can make whole again; left out: it is not opened, like any other. */
  readonly onDamage?: 'refuse' | 'recover'
  readonly listener: WalListener
}

export class Wal {
  readonly #fileSystem: FileSystem
  readonly #clock: Clock
  readonly #directory: string
  readonly #metadata: WalMetadata
  readonly #segmentSizeBytes: number
  readonly #listener: WalListener
  readonly #shape: LogShape
  readonly #index: EntryIndex
  readonly #keeper: StateKeeper
  readonly #initialMembership: Membership
  readonly #onDamage: 'refuse' | 'recover'
  readonly #spares: SpareSegments
  #segment: Segment
  /** Oldest first, without the one that is written to. */
  #finished: FinishedSegment[]
  /** The highest entry index in the segment that is written to. */
  #highestIndex: LogIndex
  #hardState: HardState
  /** Of the cluster: goes up when it is recovered from the loss of its quorum. */
  #generation: number
  /** The newest base that is durable. */
  #base: SnapshotMeta
  readonly #queue = new WalQueue()
  #running: Promise<void> | undefined
  #beside: Promise<void> = Promise.resolve()
  /** Counts writes; odd while one is under way. */
  #writes = 0
  #error: Error | undefined
  #isClosed = false

  private constructor(options: WalOptions, { opened, metadata, shape }: OpenedWal) {
    this.#fileSystem = options.fileSystem
    this.#clock = options.clock
    this.#directory = options.directory
    this.#metadata = { clusterId: options.clusterId, nodeId: options.nodeId }
    this.#segmentSizeBytes = options.segmentSizeBytes ?? segmentSizeBytesDefault
    this.#listener = options.listener
    this.#spares = new SpareSegments(this.#fileSystem, this.#directory, this.#segmentSizeBytes)
    this.#segment = opened.segment
    this.#finished = [...opened.finished]
    this.#highestIndex = opened.highestIndex
    this.#hardState = opened.log.hardState
    this.#generation = opened.log.generation
    this.#base = opened.log.base
    this.#shape = shape
    this.#index = opened.index
    this.#keeper = new StateKeeper(metadata)
    this.#initialMembership = options.initialMembership
    this.#onDamage = options.onDamage ?? 'refuse'
  }

  /** Reads the log back, or begins one. The directory is there already. Throws RaftError CORRUPT and others. */
  static async open(options: WalOptions): Promise<{ wal: Wal; recovered: RecoveredLog }> {
    const sizeBytesMax = options.segmentSizeBytes ?? segmentSizeBytesDefault
    const found = await openLog(options, sizeBytesMax)
    return { wal: new Wal(options, found), recovered: found.opened.log }
  }

  get base(): SnapshotMeta {
    return this.#shape.base
  }

  get lastIndex(): LogIndex {
    return this.#shape.lastIndex
  }

  /** A number for the write that is under way, synced or not; undefined when nothing is. */
  get pendingWrite(): number | undefined {
    return this.#writes % 2 === 1 ? this.#writes : undefined
  }

  get generation(): number {
    return this.#generation
  }

  /** Whether others can give back what this log may have lost. */
  get canRecover(): boolean {
    return this.#onDamage === 'recover' && !this.#keeper.isSoleVoter
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#shape.termAt(index)
  }

  membershipAt(index: LogIndex): Membership {
    return this.#shape.membershipAt(index)
  }

  /** Takes the work of one Ready, in the order of their sequences. Reported durable() in the same order. */
  append(sequence: number, persist: Persist | undefined): void {
    if (this.#error !== undefined || this.#isClosed) return
    if (persist?.snapshot !== undefined) this.#shape.replace(persist.snapshot)
    if (persist !== undefined) this.#shape.append(persist.entries)
    if (this.#running === undefined && persist?.mustSync !== true) {
      this.#queue.keepForLater([{ type: 'persist', sequence, persist }])
      this.#listener.durable(sequence)
      return
    }
    this.#queue.push({ type: 'persist', sequence, persist })
    this.#start()
  }

  /**
   * Entries up to `index` are not needed any more: applied, durable in the state machine or a snapshot. Segments that hold
   * nothing else are removed once that is on disk.
   */
  compact(index: LogIndex): void {
    if (this.#error !== undefined || this.#isClosed || index <= this.#shape.base.index) return
    const base = this.#shape.compact(index)
    const work = { type: 'compact', base } as const
    if (this.#running === undefined) this.#queue.keepForLater([work])
    else this.#queue.push(work)
  }

  /**
   * Durable entries from `from` on without a gap: one at least, and as many as fit. Runs beside everything else. Throws
   * RaftError COMPACTED for what is released, and CORRUPT with file and offset, which ends the log.
   */
  async read(from: LogIndex, sizeBytesMax: number): Promise<readonly Entry[]> {
    const options = {
      fileSystem: this.#fileSystem,
      directory: this.#directory,
      index: this.#index,
    }
    try {
      this.#mustHold(from)
      return await readEntries(options, from, sizeBytesMax)
    } catch (reason) {
      // A segment that is released meanwhile may be gone, or hold something else already.
      this.#mustHold(from)
      if (reason instanceof RaftError && reason.code === 'CORRUPT') this.#fail(reason)
      throw reason
    }
  }

  #mustHold(index: LogIndex): void {
    const base = this.#shape.base.index
    if (index > base) return
    throw new RaftError('COMPACTED', `Entry ${index} is released: the log begins after ${base}`)
  }

  /** A snapshot takes the place of the whole log, before anything else is appended. Durable when it resolves. */
  async replace(base: SnapshotMeta, hardState: HardState): Promise<void> {
    assert(this.#running === undefined, 'the log is replaced before it is used')
    this.#shape.replace(base)
    await this.#write([
      { type: 'replaced', base },
      { type: 'hardState', hardState },
    ])
  }

  /**
   * The log may lack what this member has acknowledged, or none of it is of use any more: it goes on as recovering, and with
   * `isEmptied` from the very beginning. Before anything is appended. Durable when it resolves.
   */
  async recover(hardState: HardState, isEmptied: boolean): Promise<HardState> {
    assert(this.#running === undefined, 'a log recovers before it is used')
    const base: SnapshotMeta = { index: 0, term: 0, membership: this.#initialMembership }
    const recovering: HardState = { ...hardState, isRecovering: true }
    if (isEmptied) this.#shape.replace(base)
    const replaced: readonly RecordItem[] = isEmptied ? [{ type: 'replaced', base }] : []
    const kept = isEmptied ? { ...recovering, commit: 0 } : recovering
    await this.#write([...replaced, { type: 'hardState', hardState: kept }])
    return kept
  }

  /** Entries of a new generation of the cluster, all of them committed, in one record. Durable when it resolves. */
  async beginGeneration(
    generation: number,
    entries: readonly Entry[],
    hardState: HardState,
  ): Promise<void> {
    assert(this.#running === undefined, 'a generation begins before the log is used')
    assert(generation > this.#generation, 'generations rise')
    this.#shape.append(entries)
    await this.#write([
      { type: 'generation', generation },
      { type: 'entries', entries },
      { type: 'hardState', hardState },
    ])
    this.#generation = generation
  }

  /** A member without a log takes the generation of the cluster that it joins; durable with the next record. */
  joinGeneration(generation: number): void {
    assert(generation >= this.#generation, 'generations rise')
    this.#generation = generation
    this.#queue.joinGeneration(generation)
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    try {
      // What else this turn has to write shares the record, and messages to the peers leave before it.
      await Promise.resolve()
      while (!this.#queue.isEmpty) await this.#writeSome()
    } catch (reason) {
      this.#fail(reason)
    }
    this.#running = undefined
  }

  #fail(reason: unknown): void {
    if (this.#error !== undefined) return
    this.#error = reason instanceof Error ? reason : new Error('WAL failed', { cause: reason })
    this.#queue.clear()
    this.#listener.failed(this.#error)
  }

  async #writeSome(): Promise<void> {
    const { works, mustSync } = this.#queue.take()
    const last = works.findLast((work) => work.type === 'persist')
    if (mustSync) await this.#write(this.#queue.collectItems(works))
    else this.#queue.keepForLater(works)
    // A failure beside (a released segment) may have come meanwhile.
    if (this.#error !== undefined) return
    if (last?.type === 'persist') this.#listener.durable(last.sequence)
  }

  async #write(items: readonly RecordItem[]): Promise<void> {
    const record = encodeRecord(items)
    const startedAt = this.#clock.now()
    this.#writes++
    if (!this.#segment.hasRoomFor(record.bodySize)) await this.#cut()
    const place = await this.#writeBeside(record, items)
    this.#writes++
    this.#listener.synced(this.#clock.now() - startedAt, record.bodySize)
    this.#index.addRecord(items, place, record.bodySize)
    this.#remember(items)
    if (this.#segment.isLow) this.#runBeside(this.#segment.fillAhead())
  }

  /** What the metadata file must say too is durable together with the record. */
  async #writeBeside(record: EncodedRecord, items: readonly RecordItem[]): Promise<RecordPlace> {
    const newest = this.#shape.membershipAt(this.#shape.lastIndex)
    const state = this.#keeper.stateAfter(items, this.#segment, newest)
    if (state === undefined) return await this.#segment.write(record)
    const both = [this.#keeper.write(state), this.#segment.write(record)] as const
    // Neither is left running behind the failure of the other.
    await Promise.allSettled(both)
    const [, place] = await Promise.all(both)
    return place
  }

  #remember(items: readonly RecordItem[]): void {
    let isBaseNew = false
    for (const item of items) {
      if (item.type === 'hardState') this.#hardState = item.hardState
      else if (item.type === 'entries') {
        const last = item.entries[item.entries.length - 1]
        if (last !== undefined) this.#highestIndex = Math.max(this.#highestIndex, last.index)
      } else if (item.type === 'compacted' || item.type === 'replaced') {
        this.#base = item.base
        isBaseNew = true
      }
    }
    if (isBaseNew) this.#releaseSegments()
  }

  /** Everything in the segment is synced already. The new one repeats what a recovery without the old ones needs. */
  async #cut(): Promise<void> {
    const old = this.#segment
    this.#segment = await createSegment(this.#fileSystem, {
      directory: this.#directory,
      sequence: old.sequence + 1,
      previousChain: old.chain,
      sizeBytesMax: this.#segmentSizeBytes,
      spare: this.#spares.take(),
      firstRecord: encodeRecord([
        ...openingItems(this.#metadata, this.#base, this.#hardState),
        ...(this.#generation > 0
          ? [{ type: 'generation', generation: this.#generation } as const]
          : []),
      ]),
    })
    this.#finished.push({ path: old.path, highestIndex: this.#highestIndex })
    this.#highestIndex = 0
    await old.finish()
  }

  /** Oldest first, so that what stays has no gap. */
  #releaseSegments(): void {
    const needed = this.#finished.findIndex((segment) => segment.highestIndex > this.#base.index)
    const count = needed === -1 ? this.#finished.length : needed
    if (count === 0) return
    const released = this.#finished.splice(0, count)
    this.#runBeside(this.#remove(released))
  }

  async #remove(segments: readonly FinishedSegment[]): Promise<void> {
    await this.#beside
    for (const segment of segments) {
      if (this.#spares.hasRoom) {
        await this.#spares.recycle(segment.path)
        continue
      }
      await this.#fileSystem.remove(segment.path)
      await this.#fileSystem.syncDirectory(this.#directory)
    }
  }

  #runBeside(work: Promise<void>): void {
    const guarded = work.catch((reason: unknown) => {
      this.#fail(reason)
    })
    this.#beside = Promise.all([this.#beside, guarded]).then(() => undefined)
  }

  /** Writes what waits for company, and gives the files back. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#spares.close()
    await this.#running
    await this.#beside
    assert(this.#queue.isEmpty, 'everything is written')
    if (this.#error === undefined && this.#queue.isKeeping) {
      try {
        await this.#write(this.#queue.collectItems([]))
        await this.#beside
      } catch (reason) {
        this.#fail(reason)
      }
    }
    try {
      await this.#keeper.close(this.#segment, this.#error === undefined)
      await this.#segment.close()
    } catch (reason) {
      this.#fail(reason)
    }
  }
}
