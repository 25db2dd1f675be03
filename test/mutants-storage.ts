// Mutants of the WAL, of snapshot files and of what a member makes of them when it starts.
import { change, type Mutant } from './mutant.ts'

export const storageMutants: readonly Mutant[] = [
  {
    name: 'a record is not synced',
    kind: 'durability',
    seed: 1,
    edits: [
      change(
        'wal/segment.ts',
        'await this.#file.write(record.parts, offset)\n    await this.#file.sync()',
        'await this.#file.write(record.parts, offset)',
      ),
    ],
  },
  {
    name: 'a folder is not synced when a segment gets its name in it',
    kind: 'durability',
    seed: 2,
    edits: [
      change(
        'wal/segment.ts',
        'await fileSystem.rename(temporary, path)\n  await fileSystem.syncDirectory(directory)',
        'await fileSystem.rename(temporary, path)',
      ),
    ],
  },
  {
    name: 'a new data folder is not synced into its parent',
    kind: 'durability',
    seed: 1,
    edits: [
      change('node/open-storage.ts', '  await fileSystem.syncDirectory(parentOf(directory))\n', ''),
    ],
  },
  {
    name: 'a change of term or vote alone is written and not synced',
    kind: 'durability',
    seed: 1,
    edits: [
      change(
        'core/raft-core.ts',
        'const mustSync = this.#ballot.isChanged || this.#log.hasUnhanded()',
        'const mustSync = this.#log.hasUnhanded()',
      ),
    ],
  },
  {
    name: 'what needs no sync is reported durable before what does',
    kind: 'durability',
    seed: 1,
    edits: [
      change(
        'wal/wal.ts',
        'if (this.#running === undefined && persist?.mustSync !== true) {',
        'if (persist?.mustSync !== true) {',
      ),
    ],
  },
  {
    name: 'a segment is removed while its last entry is still needed',
    kind: 'durability',
    seed: 49,
    edits: [
      change(
        'wal/wal.ts',
        'segment.highestIndex > this.#base.index)',
        'segment.highestIndex > this.#base.index + 1)',
      ),
    ],
  },
  {
    name: 'a torn tail is accepted',
    kind: 'recovery',
    seed: 1,
    edits: [
      change(
        'wal/segment-scan.ts',
        'return isWhole && crc32(body) === header.bodyChecksum ? body : undefined',
        'return isWhole ? body : undefined',
      ),
    ],
  },
  {
    name: 'what a killed process wrote is trusted without a sync',
    kind: 'recovery',
    seed: 3,
    edits: [
      change(
        'wal/recovery.ts',
        '    await makeLastRecordDurable(file, scan)\n    await fileSystem.syncDirectory(directory)\n',
        '',
      ),
    ],
  },
  {
    name: 'what was durable is cut off as torn because it holds a sector of zeros',
    kind: 'recovery',
    seed: 143,
    edits: [
      change(
        'wal/sector-mask.ts',
        'if (!hasZeroLikeSector(record.parts, offset)) return record\n',
        'if (offset > 0) return record\n',
      ),
    ],
  },
  {
    name: 'entries that a later leader cut come back on recovery',
    kind: 'recovery',
    seed: 7,
    edits: [
      change(
        'wal/log-replay.ts',
        '      this.#entries.length = first.index - this.#firstIndex\n',
        '      var behind = this.#entries.splice(first.index - this.#firstIndex).slice(entries.length)\n',
      ),
      change(
        'wal/log-replay.ts',
        'for (const entry of entries) this.#entries.push(entry)\n  }\n',
        'this.#entries.push(...entries, ...(behind ?? []))\n  }\n',
      ),
    ],
  },
  {
    name: 'a snapshot gets its name before it is on disk',
    kind: 'snapshot',
    seed: 4,
    edits: [
      change(
        'snapshot/snapshot-writer.ts',
        'this.#chain)], this.#size)\n    await this.#file.sync()\n',
        'this.#chain)], this.#size)\n',
      ),
    ],
  },
  {
    name: 'a snapshot that the log does not know of is forgotten on recovery',
    kind: 'snapshot',
    seed: 1,
    edits: [
      change(
        'node/open-storage.ts',
        'if (newest === undefined || newest.index <= wal.base.index) return log\n',
        'if (newest === undefined || newest.index >= wal.base.index) return log\n',
      ),
    ],
  },
]
