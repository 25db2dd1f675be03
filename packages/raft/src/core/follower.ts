// How a member that does not lead treats the log messages of a leader (paper Figure 2, "AppendEntries RPC", receiver implementation).
import { assert } from './assert.ts'
import type { RaftLog } from './raft-log.ts'
import type { AppendEntries, LogIndex, SnapshotMeta } from './types.ts'

/** The fields of an AppendEntriesResult that depend on the log. */
export interface LogAnswer {
  readonly index: LogIndex
  readonly rejected: boolean
  readonly hintIndex: LogIndex
  readonly hintTerm: number
}

export function matchedUpTo(index: LogIndex): LogAnswer {
  return { index, rejected: false, hintIndex: 0, hintTerm: 0 }
}

/** Appends what is new, cuts what conflicts, moves the commit index; or refuses with the best guess of where the logs meet. */
export function followAppend(log: RaftLog, message: AppendEntries): LogAnswer {
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

/** Returns whether the log was replaced; otherwise it holds everything that the snapshot does. */
export function followSnapshot(log: RaftLog, snapshot: SnapshotMeta): boolean {
  if (snapshot.index <= log.commitIndex) return false
  if (log.matches(snapshot.index, snapshot.term)) {
    log.commitTo(snapshot.index)
    return false
  }
  log.restore(snapshot)
  return true
}
