// Mutants of changes of membership, of recovering members and of damaged disks.
import { change, type Mutant } from './mutant.ts'

export const membershipMutants: readonly Mutant[] = [
  {
    name: 'a new leader does not wait for changes of older terms (single-server bug)',
    kind: 'membership',
    seed: 4,
    edits: [
      change(
        'core/leadership.ts',
        'this.#append(entryType.normal, noData)\n    this.#membershipIndex = log.lastIndex\n',
        'this.#append(entryType.normal, noData)\n    this.#membershipIndex = 0\n',
      ),
    ],
  },
  {
    name: 'a joint configuration needs the majority of one side only',
    kind: 'membership',
    seed: 23,
    edits: [
      change(
        'core/quorum.ts',
        'if (membership.votersOutgoing.length === 0) return incoming\n',
        'if (membership.votersOutgoing.length >= 0) return incoming\n',
      ),
    ],
  },
  {
    name: 'half of an even number of voters is a majority',
    kind: 'membership',
    seed: 4,
    edits: [
      change('core/quorum.ts', 'return Math.floor(count / 2) + 1', 'return Math.ceil(count / 2)'),
    ],
  },
  {
    name: 'learners count in a quorum',
    kind: 'membership',
    seed: 4,
    edits: [
      change(
        'core/quorum.ts',
        'const incoming = majorityReached(membership.voters, reachedBy)',
        'const incoming = majorityReached([...membership.voters, ...membership.learners], reachedBy)',
      ),
    ],
  },
  {
    name: 'two voters come or go at once without a joint configuration',
    kind: 'membership',
    seed: 9,
    edits: [
      change(
        'core/membership.ts',
        'if (votersChanged(current, target) <= 1) return target',
        'if (votersChanged(current, target) <= 2) return target',
      ),
    ],
  },
  {
    name: 'a leader that was removed goes on leading',
    kind: 'membership',
    seed: 4,
    edits: [
      change(
        'core/raft-core.ts',
        'if (isVoter(membership, this.#id)) return this.#leadership.applyMembership(membership)',
        'if (this.#id !== undefined) return this.#leadership.applyMembership(membership)',
      ),
    ],
  },
  {
    name: 'a recovering member votes',
    kind: 'recovery',
    seed: 1,
    edits: [change('core/voting.ts', '!ballot.isRecovering && canVote', 'canVote')],
  },
  {
    name: 'a recovering member forgets that it is one when it starts again',
    kind: 'recovery',
    seed: 1,
    edits: [
      change(
        'core/ballot.ts',
        'this.#isRecovering ? { ...hardState, isRecovering: true } : hardState',
        'hardState',
      ),
    ],
  },
  {
    name: 'a damaged record in the middle of the log is taken for a torn tail',
    kind: 'corruption',
    seed: 10,
    edits: [
      change(
        'wal/segment-scan.ts',
        "if (!this.#options.isLast) throw this.#corrupt(offset, 'is damaged in a finished segment')\n",
        'if (offset > 0) return\n',
      ),
      change(
        'wal/segment-scan.ts',
        "throw this.#corrupt(offset, 'does not match its checksum')\n",
        'return\n',
      ),
      change(
        'wal/recovery.ts',
        'if (end.offset >= logEnd.offset) return\n',
        'if (end.offset >= 0) return\n',
      ),
    ],
  },
  {
    name: 'the checksums of a snapshot are not looked at',
    kind: 'corruption',
    seed: 39,
    edits: [
      change(
        'snapshot/snapshot-file.ts',
        'if (crc32(body, crc32(header.subarray(0, 4), previous)) !== checksum) {',
        'if (crc32(body, crc32(header.subarray(0, 4), previous)) < 0) {',
      ),
    ],
  },
  {
    name: 'a witness campaigns',
    kind: 'membership',
    seed: 28,
    edits: [
      change(
        'core/candidacy.ts',
        'if (!isVoter(current, config.id) || isWitness(current, config.id)) return false\n',
        'if (!isVoter(current, config.id)) return false\n',
      ),
    ],
  },
  {
    name: 'a leader removes itself beside a witness',
    kind: 'membership',
    seed: 228,
    edits: [
      change(
        'core/membership-change.ts',
        'return !hasWitness || isVoter(target, id)\n',
        'return !hasWitness || isVoter(target, id) || true\n',
      ),
    ],
  },
  {
    name: 'a witness is sent the state',
    kind: 'membership',
    seed: 108,
    edits: [
      change(
        'node/snapshot-transfer.ts',
        'const isEmpty = isWitness(meta.membership, to)\n',
        'const isEmpty = false\n',
      ),
    ],
  },
]
