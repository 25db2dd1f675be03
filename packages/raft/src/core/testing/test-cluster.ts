// Cores wired to each other by hand: a test decides which messages arrive, when a disk is done and who ticks.
import { entrySizeBytes } from '../entry-cache.ts'
import { RaftCore } from '../raft-core.ts'
import {
  entryType,
  type Entry,
  type FetchRequest,
  type Membership,
  type Message,
  type NodeId,
  type RaftConfig,
  type ReadState,
  type Ready,
  type RestoredState,
  type SnapshotMeta,
} from '../types.ts'
import { decodeMembership } from '../membership.ts'

export function nodeId(name: string): NodeId {
  return name as NodeId
}

export function ids(...names: string[]): NodeId[] {
  return names.map(nodeId)
}

export function voters(...names: string[]): Membership {
  return { voters: ids(...names), votersOutgoing: [], learners: [] }
}

export function config(id: string, change: Partial<RaftConfig> = {}): RaftConfig {
  return {
    id: nodeId(id),
    electionTicks: 10,
    heartbeatTicks: 1,
    messageSizeBytesMax: 1024 * 1024,
    inflightMessagesMax: 256,
    inflightSizeBytesMax: 64 * 1024 * 1024,
    uncommittedSizeBytesMax: 1024 * 1024,
    random: () => 0,
    ...change,
  }
}

export function fresh(membership: Membership, change: Partial<RestoredState> = {}): RestoredState {
  return {
    hardState: { term: 0, vote: undefined, commit: 0 },
    snapshot: { index: 0, term: 0, membership },
    entries: [],
    appliedIndex: 0,
    ...change,
  }
}

export function entry(index: number, term: number, text = ''): Entry {
  return { index, term, type: entryType.normal, data: bytes(text) }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data)
}

const pastWritesMax = 20

/** A core, its disk as the shell would keep it, and what it has applied. */
export class TestMember {
  readonly config: RaftConfig
  core: RaftCore
  stored: RestoredState
  readonly applied: Entry[] = []
  readonly reads: ReadState[] = []
  /** Readys taken and not yet persisted. */
  readonly pending: Ready[] = []
  /** To be read back from the disk and not yet answered. */
  readonly fetches: FetchRequest[] = []
  /** False: they stay there until answerFetches(). */
  autoFetch = true
  /** False: Readys stay pending until persistAll(). */
  autoPersist = true
  /** Entries handed out and not yet applied. */
  readonly toApply: Entry[] = []
  /** False: entries wait until applyAll(). */
  autoApply = true
  /** Called for every Ready and every applied entry, for checkers. */
  onReady: (ready: Ready) => void = () => {}
  onApplied: (entry: Entry) => void = () => {}
  #membership: Membership
  /** What the disk held before each of the last writes, oldest first. */
  #past: RestoredState[] = []
  /** The membership at the last index that compact() can be asked for. */
  readonly #memberships: { readonly index: number; readonly membership: Membership }[] = []

  constructor(memberConfig: RaftConfig, restored: RestoredState) {
    this.config = memberConfig
    this.stored = restored
    this.#membership = restored.snapshot.membership
    this.core = new RaftCore(memberConfig, restored)
  }

  get id(): NodeId {
    return this.config.id
  }

  /** Takes Readys until there is none; returns what may be sent. */
  drain(): Message[] {
    const messages: Message[] = []
    while (this.core.hasReady()) {
      messages.push(...this.take().send)
      if (this.autoPersist) messages.push(...this.persistAll())
      if (this.autoFetch) this.answerFetches()
    }
    return messages
  }

  /** The disk has read what was asked for, as far as it is there. */
  answerFetches(count: number = this.fetches.length): void {
    for (const { to, from, sizeBytesMax } of this.fetches.splice(0, count)) {
      let size = 0
      const entries = this.stored.entries.filter((each) => {
        if (each.index < from) return false
        size += entrySizeBytes(each)
        return each.index === from || size <= sizeBytesMax
      })
      this.core.fetched(to, entries[0]?.index === from ? entries : undefined)
      this.core.verify()
    }
  }

  /** Takes the next Ready; it is pending until persistAll(). */
  take(): Ready {
    const ready = this.core.ready()
    this.core.verify()
    this.onReady(ready)
    this.reads.push(...ready.reads)
    this.pending.push(ready)
    this.toApply.push(...ready.apply)
    this.fetches.push(...ready.fetch)
    if (this.autoApply) this.applyAll()
    return ready
  }

  /** The state machine has caught up (to `count` entries). */
  applyAll(count: number = this.toApply.length): void {
    const entries = this.toApply.splice(0, count)
    for (const entry of entries) {
      this.applied.push(entry)
      this.onApplied(entry)
      if (entry.type === entryType.membership) {
        this.#membership = decodeMembership(entry.data) ?? this.#membership
        this.#memberships.push({ index: entry.index, membership: this.#membership })
        this.core.applyMembership(this.#membership)
      }
    }
    const last = entries.at(-1)
    if (last !== undefined) this.core.applied(last.index)
  }

  /** The disk has caught up (to `count` Readys); returns what waited for it. */
  persistAll(count: number = this.pending.length): Message[] {
    const messages: Message[] = []
    for (const ready of this.pending.splice(0, count)) {
      this.store(ready)
      this.core.persisted(ready.sequence)
      if (ready.persist?.snapshot !== undefined) this.core.applied(ready.persist.snapshot.index)
      messages.push(...ready.sendAfterPersist)
      this.core.verify()
    }
    return messages
  }

  /** What the disk holds after writing this Ready. */
  store(ready: Ready): void {
    this.#past = [...this.#past.slice(-pastWritesMax), this.stored]
    this.stored = store(this.stored, ready)
  }

  /**
   * The disk has lost the end of what was written to the log, as many writes as said; term, vote and snapshots lie elsewhere.
   * To be followed by crash().
   */
  loseWrites(count: number): void {
    const { hardState, snapshot } = this.stored
    const older = this.#past[this.#past.length - count] ?? this.stored
    const isFound =
      older.snapshot.index === snapshot.index ||
      older.entries.some((e) => e.index === snapshot.index && e.term === snapshot.term)
    const { term, vote } = hardState
    this.stored = {
      ...this.stored,
      hardState: { term, vote, commit: hardState.commit, isRecovering: true },
      entries: isFound ? older.entries.filter((e) => e.index > snapshot.index) : [],
    }
    this.#past = []
  }

  /** Loses everything that was not persisted and starts again; the state machine starts empty from the snapshot. */
  crash(): void {
    this.pending.length = 0
    this.fetches.length = 0
    this.toApply.length = 0
    this.applied.length = 0
    this.#memberships.length = 0
    this.#membership = this.stored.snapshot.membership
    this.core = new RaftCore(this.config, {
      ...this.stored,
      appliedIndex: this.stored.snapshot.index,
    })
  }

  compact(index: number): void {
    const { entries, snapshot } = this.stored
    const last = entries.find((entry) => entry.index === index)
    if (last === undefined) throw new Error(`Nothing stored at index ${index}`)
    const known = this.#memberships.findLast((change) => change.index <= index)
    const membership = known?.membership ?? snapshot.membership
    const meta: SnapshotMeta = { index, term: last.term, membership }
    this.stored = {
      ...this.stored,
      snapshot: meta,
      entries: entries.filter((entry) => entry.index > index),
    }
    this.core.compact(index)
  }

  get log(): string {
    return this.stored.entries.map((entry) => `${entry.term}:${text(entry.data)}`).join(' ')
  }

  get appliedTexts(): string[] {
    const isCommand = (e: Entry): boolean => e.type === entryType.normal && e.data.length > 0
    return this.applied.filter(isCommand).map((e) => text(e.data))
  }
}

function store(stored: RestoredState, ready: Ready): RestoredState {
  const { persist } = ready
  if (persist === undefined) return stored
  const snapshot = persist.snapshot ?? stored.snapshot
  const first = persist.entries[0]?.index
  const kept = persist.snapshot === undefined ? stored.entries : []
  return {
    ...stored,
    snapshot,
    hardState: persist.hardState ?? stored.hardState,
    entries: [
      ...kept.filter((entry) => first === undefined || entry.index < first),
      ...persist.entries,
    ],
  }
}

export interface ClusterOptions {
  readonly members: readonly string[]
  readonly membership?: Membership
  readonly change?: Partial<RaftConfig>
  /** What single members start with. */
  readonly restored?: Readonly<Record<string, Partial<RestoredState>>>
}

/** Delivers every message at once and in order, except those that `drop` holds back. */
export class TestCluster {
  readonly members = new Map<NodeId, TestMember>()
  /** Returns true for a message that gets lost. */
  drop: (message: Message) => boolean = () => false
  readonly transcript: Message[] = []

  constructor(options: ClusterOptions) {
    const membership = options.membership ?? voters(...options.members)
    for (const name of options.members) {
      const restored = fresh(membership, options.restored?.[name])
      this.members.set(nodeId(name), new TestMember(config(name, options.change), restored))
    }
  }

  member(name: string): TestMember {
    const member = this.members.get(nodeId(name))
    if (member === undefined) throw new Error(`No member ${name}`)
    return member
  }

  /** Nothing passes between `names` and the others. */
  partition(...names: string[]): void {
    const inside = new Set<string>(names)
    this.drop = (message) => inside.has(message.from) !== inside.has(message.to)
  }

  heal(): void {
    this.drop = () => false
  }

  /** Until nobody has anything to say. */
  settle(): void {
    for (let round = 0; round < 1000; round++) {
      const messages = [...this.members.values()].flatMap((member) => member.drain())
      if (messages.length === 0) return
      for (const message of messages) this.deliver(message)
    }
    throw new Error('The cluster does not come to rest')
  }

  /** At once, unless it gets lost. */
  deliver(message: Message): void {
    this.transcript.push(message)
    if (this.drop(message)) return
    const member = this.members.get(message.to)
    if (member === undefined) return
    member.core.step(message)
    member.core.verify()
  }

  tick(name: string, count = 1): void {
    for (let i = 0; i < count; i++) {
      this.member(name).core.tick()
      this.settle()
    }
  }

  tickAll(count = 1): void {
    for (let i = 0; i < count; i++) {
      for (const member of this.members.values()) member.core.tick()
      this.settle()
    }
  }

  /** Makes `name` leader by its election timeout, everybody else having forgotten the old leader. */
  elect(name: string): void {
    for (let i = 0; i < 100 && this.member(name).core.status().role !== 'leader'; i++) {
      this.tick(name, 1)
    }
    if (this.member(name).core.status().role !== 'leader')
      throw new Error(`${name} was not elected`)
  }

  propose(name: string, ...payloads: string[]): void {
    this.member(name).core.propose(payloads.map(bytes))
    this.settle()
  }

  roles(): string {
    return [...this.members.values()]
      .map((member) => `${member.id}:${member.core.status().role}`)
      .join(' ')
  }

  commits(): number[] {
    return [...this.members.values()].map((member) => member.core.status().commitIndex)
  }
}
