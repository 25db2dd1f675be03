// Wrong changes to the core, the WAL and the shell, each of a kind that real systems have shipped. They exist only here, as texts to find and
// what to put in their place; the simulator must notice every one.

export interface Mutant {
  readonly name: string
  /** The seed that noticed it last: tried first, to save time. */
  readonly seed: number
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** Under packages/raft/src. */
  readonly file: string
  /** Occurs once. */
  readonly find: string
  readonly replace: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a vote is not written to disk',
    seed: 158,
    edits: [
      {
        file: 'core/ballot.ts',
        find: 'commit }\n    return this.#handed',
        replace: 'commit }\n    return { ...this.#handed, vote: undefined }',
      },
    ],
  },
  {
    name: 'a member votes twice in a term',
    seed: 1,
    edits: [
      {
        file: 'core/ballot.ts',
        find: "assert(this.#vote === undefined || this.#vote === id, 'a member votes once a term')",
        replace: '',
      },
      {
        file: 'core/voting.ts',
        find: 'const canVote = ballot.vote === from || isFree ||',
        replace: 'const canVote = ballot.vote === from || isFree || leader === undefined ||',
      },
    ],
  },
  {
    name: 'a vote is given without a look at the log',
    seed: 1,
    edits: [
      {
        file: 'core/raft-log.ts',
        find: 'return lastLogTerm > lastTerm ||',
        replace: 'return lastLogTerm >= 0 || lastLogTerm > lastTerm ||',
      },
    ],
  },
  {
    name: 'an entry of an older term is committed by counting (Figure 8)',
    seed: 328,
    edits: [
      {
        file: 'core/leadership.ts',
        find: 'if (reached <= log.commitIndex || log.termAt(reached) !== this.#term) return false',
        replace: 'if (reached <= log.commitIndex) return false',
      },
    ],
  },
  {
    name: 'an append is acknowledged before it is on disk',
    seed: 10,
    edits: [
      {
        file: 'core/follower.ts',
        find: "outbox.sendAfterPersist({ type: 'appendEntriesResult'",
        replace: "outbox.send({ type: 'appendEntriesResult'",
      },
    ],
  },
  {
    name: 'the leader counts its own copy before it is on disk',
    seed: 3,
    edits: [
      {
        file: 'core/leadership.ts',
        find: 'id === this.#config.id ? log.persistedIndex :',
        replace: 'id === this.#config.id ? log.lastIndex :',
      },
    ],
  },
  {
    name: 'entries rewritten while the disk was busy count as durable',
    seed: 27,
    edits: [
      {
        file: 'core/raft-log.ts',
        find: 'for (const flight of this.#flights) flight.lastIndex = Math.min(flight.lastIndex, last)',
        replace: '',
      },
    ],
  },
  {
    name: 'a read is answered without asking a quorum',
    seed: 64,
    edits: [
      {
        file: 'core/leadership.ts',
        find: '? sequence : (peers.get(id)?.readSequence ?? 0)',
        replace: '? sequence : sequence',
      },
    ],
  },
  {
    name: 'a new leader answers reads before it has committed an entry of its term',
    seed: 62,
    edits: [
      {
        file: 'core/leadership.ts',
        find: 'return this.#log.termAt(this.#log.commitIndex) === this.#term',
        replace: 'return this.#log.commitIndex >= 0',
      },
    ],
  },
  {
    name: 'a forwarded proposal that the network repeats is appended twice',
    seed: 12,
    edits: [
      {
        file: 'core/repeat-filter.ts',
        find: 'if (seen.has(sequence)) return false',
        replace: '',
      },
    ],
  },
  {
    name: 'what was proposed in the present term is proposed again',
    seed: 1,
    edits: [
      {
        file: 'node/proposals.ts',
        find: 'this.#takeInFlight((batch) => batch.term < term)',
        replace: 'this.#takeInFlight((batch) => batch.term <= term)',
      },
    ],
  },
  {
    name: 'a record is not synced',
    seed: 1,
    edits: [
      {
        file: 'wal/segment.ts',
        find: 'await this.#file.write(record.parts, offset)\n    await this.#file.sync()',
        replace: 'await this.#file.write(record.parts, offset)',
      },
    ],
  },
  {
    name: 'a folder is not synced when a segment gets its name in it',
    seed: 2,
    edits: [
      {
        file: 'wal/segment.ts',
        find: 'await fileSystem.rename(temporary, path)\n  await fileSystem.syncDirectory(directory)',
        replace: 'await fileSystem.rename(temporary, path)',
      },
    ],
  },
  {
    name: 'a torn tail is accepted',
    seed: 22,
    edits: [
      {
        file: 'wal/segment-scan.ts',
        find: 'return isWhole && crc32(body) === header.bodyChecksum ? body : undefined',
        replace: 'return isWhole ? body : undefined',
      },
    ],
  },
  {
    name: 'what a killed process wrote is trusted without a sync',
    seed: 327,
    edits: [
      {
        file: 'wal/recovery.ts',
        find: '    await makeLastRecordDurable(file, scan)\n    await fileSystem.syncDirectory(directory)\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a new data folder is not synced into its parent',
    seed: 1,
    edits: [
      {
        file: 'node/open-storage.ts',
        find: '  await fileSystem.syncDirectory(parentOf(directory))\n',
        replace: '',
      },
    ],
  },
]
