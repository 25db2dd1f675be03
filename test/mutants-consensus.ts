// Mutants of elections, commits and reads.
import { change, type Mutant } from './mutant.ts'

export const consensusMutants: readonly Mutant[] = [
  {
    name: 'a vote is not written to disk',
    kind: 'election',
    seed: 1,
    edits: [
      change(
        'core/ballot.ts',
        '    return this.#handed\n',
        '    return { ...this.#handed, vote: undefined }\n',
      ),
    ],
  },
  {
    name: 'a member votes twice in a term',
    kind: 'election',
    seed: 6,
    edits: [
      change(
        'core/ballot.ts',
        "assert(this.#vote === undefined || this.#vote === id, 'a member votes once a term')",
        '',
      ),
      change(
        'core/voting.ts',
        'const canVote = ballot.vote === from || isFree ||',
        'const canVote = ballot.vote === from || isFree || leader === undefined ||',
      ),
    ],
  },
  {
    name: 'a vote is given without a look at the log',
    kind: 'election',
    seed: 1,
    edits: [
      change(
        'core/raft-log.ts',
        'return lastLogTerm > lastTerm ||',
        'return lastLogTerm >= 0 || lastLogTerm > lastTerm ||',
      ),
    ],
  },
  {
    name: 'of two logs the longer one wins, whatever its last term',
    kind: 'election',
    seed: 27,
    edits: [
      change(
        'core/raft-log.ts',
        'return lastLogTerm > lastTerm || (lastLogTerm === lastTerm && lastLogIndex >= this.lastIndex)',
        'return lastLogIndex > this.lastIndex || (lastLogIndex === this.lastIndex && lastLogTerm >= lastTerm)',
      ),
    ],
  },
  {
    name: 'a vote is answered before it is on disk',
    kind: 'election',
    seed: 12,
    edits: [
      change(
        'core/voting.ts',
        "outbox.sendAfterPersist({\n      type: 'requestVoteResult'",
        "outbox.send({\n      type: 'requestVoteResult'",
      ),
    ],
  },
  {
    name: 'a candidate counts its own vote before it is on disk',
    kind: 'election',
    seed: 7,
    edits: [
      change(
        'core/candidacy.ts',
        "voting.request('vote', force)\n",
        "voting.request('vote', force)\n      this.#count(config.id, true)\n",
      ),
      change(
        'core/voting.ts',
        'else outbox.sendAfterPersist(message)',
        'else outbox.send(message)',
      ),
    ],
  },
  {
    name: 'a candidate counts votes of an older term',
    kind: 'election',
    seed: 21,
    edits: [
      change(
        'core/raft-core.ts',
        'if (message.term < this.#term) {',
        "if (message.term < this.#term && message.type !== 'requestVoteResult') {",
      ),
    ],
  },
  {
    name: 'a vote that the network repeats counts twice',
    kind: 'election',
    seed: 4,
    edits: [
      change(
        'core/voting.ts',
        'if (!this.#votes.has(from)) this.#votes.set(from, granted)',
        `const { voters } = this.#options.memberships.current
    const other = voters.find((id) => !this.#votes.has(id))
    if (!this.#votes.has(from)) this.#votes.set(from, granted)
    else if (other !== undefined) this.#votes.set(other, granted)`,
      ),
    ],
  },
  {
    name: 'a granted pre-vote counts as a vote',
    kind: 'election',
    seed: 1,
    edits: [
      change(
        'core/candidacy.ts',
        "if (this.#role !== (preVote ? 'preCandidate' : 'candidate')) return\n",
        'if (this.#role === undefined) return\n',
      ),
      change(
        'core/candidacy.ts',
        'if (preVote && granted && term !== this.#options.ballot.term + 1) return\n',
        'if (term < this.#options.ballot.term) return\n',
      ),
    ],
  },
  {
    name: 'an entry of an older term is committed by counting (Figure 8)',
    kind: 'commit',
    seed: 1,
    edits: [
      change(
        'core/leadership.ts',
        'if (reached <= log.commitIndex || log.termAt(reached) !== this.#term) return false',
        'if (reached <= log.commitIndex) return false',
      ),
    ],
  },
  {
    name: 'the leader counts its own copy before it is on disk',
    kind: 'commit',
    seed: 1,
    edits: [
      change(
        'core/leadership.ts',
        'id === this.#config.id ? log.persistedIndex :',
        'id === this.#config.id ? log.lastIndex :',
      ),
    ],
  },
  {
    name: 'a single member applies an entry before it is on disk',
    kind: 'commit',
    seed: 22,
    edits: [
      change(
        'core/leadership.ts',
        'id === this.#config.id ? log.persistedIndex :',
        'id === this.#config.id ? (peers.size === 0 ? log.lastIndex : log.persistedIndex) :',
      ),
      change(
        'core/raft-log.ts',
        'return this.#applyingIndex < Math.min(this.#commitIndex, this.#persistedIndex)',
        'return this.#applyingIndex < this.#commitIndex',
      ),
      change(
        'core/raft-log.ts',
        'const last = Math.min(this.#commitIndex, this.#persistedIndex)',
        'const last = this.#commitIndex',
      ),
      change(
        'core/raft-log.ts',
        "assert(this.#applyingIndex <= this.#persistedIndex, 'only durable entries are applied')\n",
        '',
      ),
    ],
  },
  {
    name: 'a heartbeat commits beyond what the follower is known to hold',
    kind: 'commit',
    seed: 14,
    edits: [
      change(
        'core/leadership.ts',
        'commit: Math.min(peer.matchIndex, this.#log.commitIndex)',
        'commit: this.#log.commitIndex',
      ),
      change(
        'core/follower.ts',
        'log.commitTo(commit)\n',
        'log.commitTo(Math.min(commit, log.lastIndex))\n',
      ),
      change('core/follower.ts', 'commit <= log.lastIndex,', 'commit >= 0,'),
    ],
  },
  {
    name: 'a read is answered without asking a quorum',
    kind: 'reads',
    seed: 49,
    edits: [
      change(
        'core/leadership.ts',
        'id === this.#config.id ? sequence : (peers.get(id)?.readSequence ?? 0)',
        'id === this.#config.id ? sequence : sequence',
      ),
    ],
  },
  {
    name: 'a new leader answers reads before it has committed an entry of its term',
    kind: 'reads',
    seed: 62,
    edits: [
      change(
        'core/leadership.ts',
        'return this.#log.termAt(this.#log.commitIndex) === this.#term',
        'return this.#log.commitIndex >= 0',
      ),
    ],
  },
  {
    name: 'a lease never ends (stale read after a pause)',
    kind: 'reads',
    seed: 229,
    edits: [
      change(
        'core/lease.ts',
        "monotonicMs < this.#promisedBy(membership, self, 'monotonicMs') &&",
        "monotonicMs < this.#promisedBy(membership, self, 'monotonicMs') + 1e9 &&",
      ),
      change(
        'core/lease.ts',
        "wallMs < this.#promisedBy(membership, self, 'wallMs')",
        "wallMs < this.#promisedBy(membership, self, 'wallMs') + 1e9",
      ),
    ],
  },
]
