// Mutants of the log and its way from the leader to the others.
import { change, type Mutant } from './mutant.ts'

export const replicationMutants: readonly Mutant[] = [
  {
    name: 'an append is acknowledged before it is on disk',
    kind: 'log',
    seed: 10,
    edits: [
      change(
        'core/follower.ts',
        "outbox.sendAfterPersist({ type: 'appendEntriesResult'",
        "outbox.send({ type: 'appendEntriesResult'",
      ),
    ],
  },
  {
    name: 'entries rewritten while the disk was busy count as durable',
    kind: 'log',
    seed: 24,
    edits: [
      change(
        'core/raft-log.ts',
        'for (const flight of this.#flights) flight.lastIndex = Math.min(flight.lastIndex, last)',
        '',
      ),
    ],
  },
  {
    name: 'a follower does not compare the term before the entries',
    kind: 'log',
    seed: 7,
    edits: [
      change(
        'core/follower.ts',
        'if (log.matches(prevLogIndex, prevLogTerm)) return append',
        'if (prevLogIndex <= log.lastIndex) return append',
      ),
    ],
  },
  {
    name: 'a late append cuts entries that match',
    kind: 'log',
    seed: 32,
    edits: [
      change(
        'core/raft-log.ts',
        'if (entry.index >= this.firstIndex && this.termAt(entry.index) !== entry.term) break',
        'if (entry.index > this.#commitIndex) break',
      ),
    ],
  },
  {
    name: 'a follower acknowledges what lies behind the entries of the message',
    kind: 'log',
    seed: 14,
    edits: [
      change(
        'core/follower.ts',
        'return matchedUpTo(lastShared)',
        'return matchedUpTo(log.lastIndex)',
      ),
      change(
        'core/replication.ts',
        "assert(index <= log.lastIndex, 'a follower holds no more of this term than its leader')\n",
        'if (index > log.lastIndex) return false\n',
      ),
    ],
  },
  {
    name: 'a full window whose answers got lost is never opened again',
    kind: 'log',
    seed: 14,
    edits: [
      change(
        'core/progress.ts',
        'if (this.#window.isFull(this.#limits)) this.#window.freeFirst()',
        '',
      ),
    ],
  },
  {
    name: 'a forwarded proposal that the network repeats is appended twice',
    kind: 'proposals',
    seed: 1,
    edits: [change('core/repeat-filter.ts', 'if (seen.has(sequence)) return false', '')],
  },
  {
    name: 'a transfer whose target does not take over is never given up',
    kind: 'proposals',
    seed: 6,
    edits: [
      change(
        'core/transfer.ts',
        'if (++this.#elapsed >= this.#options.patienceTicks) this.stop()',
        'this.#elapsed++',
      ),
    ],
  },
  {
    name: 'a snapshot goes back in time',
    kind: 'snapshot',
    seed: 887,
    edits: [
      change(
        'core/follower.ts',
        'const isNews = snapshot.index > log.commitIndex',
        'const isNews = snapshot.index > 0',
      ),
      change(
        'core/raft-log.ts',
        "assert(snapshot.index > this.#commitIndex, 'a snapshot never goes back in time')\n",
        '',
      ),
      change(
        'node/snapshot-install.ts',
        'if (meta.index <= core.status().commitIndex) return\n',
        '',
      ),
    ],
  },
]
