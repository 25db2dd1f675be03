// How a member that does not lead treats the log messages of a leader (paper Figure 2, "AppendEntries RPC", receiver implementation).
// Keeps: an acknowledgement leaves only when what it acknowledges is durable.
import { assert } from './assert.ts'
import type { Ballot } from './ballot.ts'
import type { VotePromise } from './lease.ts'
import type { Outbox } from './outbox.ts'
import type { RaftLog } from './raft-log.ts'
import type { Recovery } from './recovery.ts'
import type {
  AppendEntries,
  AppendEntriesResult,
  Heartbeat,
  InstallSnapshot,
  LogIndex,
  NodeId,
} from './types.ts'

/** The fields of an AppendEntriesResult that depend on the log. */
type LogAnswer = Pick<AppendEntriesResult, 'index' | 'rejected' | 'hintIndex' | 'hintTerm'>

export interface FollowerOptions {
  readonly id: NodeId
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly outbox: Outbox
  readonly recovery: Recovery
  readonly promise: VotePromise
}

export class Follower {
  readonly #options: FollowerOptions

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** Appends what is new, cuts what conflicts, moves the commit index; or refuses with the best guess of where the logs meet. */
  appendEntries(message: AppendEntries): void {
    const { log, recovery } = this.#options
    const answer = followAppend(log, message)
    if (!answer.rejected) recovery.matched(answer.index)
    this.#send(message.from, answer)
  }

  heartbeat(message: Heartbeat): void {
    const { id, ballot, log, outbox, recovery, promise } = this.#options
    const commit = recovery.commitLimit(message.commit)
    // The leader names no more than what this member has acknowledged. Going on would let it forget entries and votes alike.
    assert(
      commit <= log.lastIndex,
      'this member has lost entries that it had acknowledged: its data was deleted, or is an older copy',
    )
    log.commitTo(commit)
    const address = { from: id, to: message.from, term: ballot.term }
    const { readSequence, number = 0 } = message
    // Kept also through a crash: a member that has just started votes for nobody for as long.
    const promised = number === 0 ? {} : { number, promiseMs: promise.give() }
    outbox.send({ type: 'heartbeatResult', ...address, readSequence, ...promised })
  }

  /** Returns whether the log was replaced; otherwise it holds everything that the snapshot does. */
  installSnapshot({ from, snapshot }: InstallSnapshot): boolean {
    const { log } = this.#options
    const isNews = snapshot.index > log.commitIndex
    const isReplaced = isNews && !log.matches(snapshot.index, snapshot.term)
    if (isReplaced) log.restore(snapshot)
    else if (isNews) log.commitTo(snapshot.index)
    this.#options.recovery.check()
    this.#send(from, matchedUpTo(log.commitIndex))
    return isReplaced
  }

  /** Tells a leader of an older term that it is one: with pre-vote nobody else does, and this member could never follow it. */
  refuseOldLeader(to: NodeId): void {
    this.#send(to, { ...matchedUpTo(0), rejected: true })
  }

  #send(to: NodeId, answer: LogAnswer): void {
    const { id, ballot, outbox } = this.#options
    const address = { from: id, to, term: ballot.term }
    outbox.sendAfterPersist({ type: 'appendEntriesResult', ...address, ...answer })
  }
}

function matchedUpTo(index: LogIndex): LogAnswer {
  return { index, rejected: false, hintIndex: 0, hintTerm: 0 }
}

function followAppend(log: RaftLog, message: AppendEntries): LogAnswer {
  const { prevLogIndex, prevLogTerm, entries, commit } = message
  // What is committed here is the same there, and may be compacted: nothing to compare.
  if (prevLogIndex < log.commitIndex) {
    const lastIndex = prevLogIndex + entries.length
    if (lastIndex <= log.commitIndex) return matchedUpTo(log.commitIndex)
    const known = log.commitIndex - prevLogIndex
    return append(log, log.commitIndex, entries.slice(known), commit)
  }
  if (log.matches(prevLogIndex, prevLogTerm)) return append(log, prevLogIndex, entries, commit)
  const hint = log.findMeeting(prevLogIndex, prevLogTerm)
  return { index: prevLogIndex, rejected: true, hintIndex: hint.index, hintTerm: hint.term }
}

function append(
  log: RaftLog,
  prevLogIndex: LogIndex,
  entries: AppendEntries['entries'],
  commit: LogIndex,
): LogAnswer {
  const lastShared = log.accept(prevLogIndex, entries)
  assert(lastShared <= log.lastIndex, 'shared entries are in the log')
  // Only what this message proves to be the leader's may be committed (Figure 2, step 5: "index of last new entry").
  log.commitTo(Math.min(commit, lastShared))
  return matchedUpTo(lastShared)
}
