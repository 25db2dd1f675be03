// Wrong changes of the whole member (packages/kv): history and index, watches, leases, restart. Many are bugs that etcd has had.
import { change, type Mutant } from './mutant.ts'

const inKv = { package: 'kv' } as const

/** The history: what a write becomes, what a reader sees, what compaction leaves, what a restart finds. */
const historyMutants: readonly Mutant[] = [
  {
    ...inKv,
    name: 'compaction takes the newest tombstone, and a restarted member uses its revision again',
    kind: 'history',
    seed: 26,
    edits: [
      change(
        'mvcc/store.ts',
        'this.#revision = Math.max(this.#revision, revision, compactRevision, firstRevision)',
        'this.#revision = Math.max(this.#revision, firstRevision)',
      ),
      change(
        'mvcc/key-record.ts',
        'newest.version === 0 && newest.main < revision',
        'newest.version === 0 && newest.main <= revision',
      ),
    ],
  },
  {
    ...inKv,
    name: 'the applied index is written after the rows it speaks of, in a batch of its own',
    kind: 'history',
    seed: 2,
    edits: [
      change(
        'member/state-machine.ts',
        '    this.#backend.put(stateRowKey, encodeState(this.#applied))\n',
        `    const row = encodeState(this.#applied)
    void this.#backend.flush({ sync: false }).then(() => this.#backend.put(stateRowKey, row))
`,
      ),
    ],
  },
  {
    ...inKv,
    name: 'a checkpoint does not wait for the tables',
    kind: 'history',
    seed: 8,
    edits: [change('member/state-machine.ts', '        await backend.flush({ sync: true })\n', '')],
  },
  {
    ...inKv,
    name: 'compaction deletes a live revision',
    kind: 'history',
    seed: 3,
    edits: [change('mvcc/key-record.ts', 'return isOldTombstone ? at + 2 : at', 'return at + 2')],
  },
  {
    ...inKv,
    name: 'a tombstone at the compact revision is dropped',
    kind: 'history',
    seed: 26,
    edits: [
      change(
        'mvcc/key-record.ts',
        'newest.version === 0 && newest.main < revision',
        'newest.version === 0 && newest.main <= revision',
      ),
      change(
        'mvcc/key-record.ts',
        '(older[at + 1] ?? 0) < 0 && (older[at] ?? 0) < revision',
        '(older[at + 1] ?? 0) < 0 && (older[at] ?? 0) <= revision',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a restarted member has forgotten that it was compacted',
    kind: 'history',
    seed: 37,
    edits: [
      change(
        'mvcc/store.ts',
        'this.#compactRevision = compactRevision\n    this.#revision = Math.max',
        'this.#compactRevision = neverCompacted\n    this.#revision = Math.max',
      ),
    ],
  },
  {
    ...inKv,
    name: 'rows that are being written are not in a view',
    kind: 'history',
    seed: 31,
    edits: [
      change(
        'backend/overlay.ts',
        'const all = new Map([...(this.#writing ?? []), ...this.#staged])',
        'const all = new Map([...this.#staged])',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a hash counts rows that compaction has not taken yet',
    kind: 'history',
    seed: 57,
    edits: [
      change(
        'mvcc/hash-kv.ts',
        'if (record?.isVisible(main, sub, this.#keptAt) !== true) return',
        'if (record === undefined) return',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a txn is applied twice when its compares see its own writes',
    kind: 'history',
    seed: 2,
    edits: [
      change(
        'mvcc/txn.ts',
        '  const path = decide(store, leases, request)\n  checkPath(store, path)\n',
        `  let path = decide(store, leases, request)
  checkPath(store, path)
  if (path.ops.length > 0 && request.compare.length > 1) {
    applyPath(store, path)
    path = decide(store, leases, request)
  }
`,
      ),
    ],
  },
  {
    ...inKv,
    name: 'a read inside a txn does not see its writes',
    kind: 'history',
    seed: 2,
    edits: [
      change(
        'mvcc/txn.ts',
        'const { revision, ...result } = range(store, op.request)',
        `const isNow = op.request.revision <= 0 && store.revision > store.compactRevision + 1
    const revision = store.revision
    const asked = isNow ? { ...op.request, revision: revision - 1 } : op.request
    const { revision: _, ...result } = range(store, asked)`,
      ),
    ],
  },
]

const readMutants: readonly Mutant[] = [
  {
    ...inKv,
    name: 'a linearizable range is answered as a serializable one',
    kind: 'reads',
    seed: 1,
    edits: [change('member/member.ts', 'else this.#gate.afterRead(done, read)', 'else read()')],
  },
  {
    ...inKv,
    name: 'a read-only txn asks no quorum',
    kind: 'reads',
    seed: 2,
    edits: [
      change(
        'member/member.ts',
        'else this.#gate.afterRead(done, () => this.#reads.txn(request, done, caller))',
        'else this.#reads.txn(request, done, caller)',
      ),
    ],
  },
]

const watchMutants: readonly Mutant[] = [
  {
    ...inKv,
    name: 'a watcher whose history is compacted goes on without a word',
    kind: 'watch',
    seed: 8,
    edits: [
      change(
        'watch/watch-hub.ts',
        `        this.#unsynced.delete(watcher)
        watcher.target.sendCompacted(watcher, compactRevision)
`,
        '        watcher.nextRevision = compactRevision\n',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a snapshot takes watchers back in time',
    kind: 'watch',
    seed: 8,
    edits: [
      change(
        'watch/watch-hub.ts',
        '      watcher.nextRevision = Math.max(watcher.nextRevision, this.#revision + 1)\n',
        '',
      ),
    ],
  },
  {
    ...inKv,
    name: 'watchers are not told what a snapshot has brought',
    kind: 'watch',
    seed: 8,
    edits: [
      change(
        'watch/watch-hub.ts',
        'watcher.nextRevision = Math.max(watcher.nextRevision, this.#revision + 1)',
        'watcher.nextRevision = Math.max(watcher.nextRevision, store.revision + 1)',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a progress notification is ahead of events',
    kind: 'watch',
    seed: 3,
    edits: [
      change(
        'watch/hub-watch-stream.ts',
        'if (!watcher.isSynced || watcher.startRevision > revision) return',
        'if (watcher.startRevision > revision) return',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a progress notification comes while events are told',
    kind: 'watch',
    seed: 6,
    edits: [
      change(
        'watch/hub-watch-stream.ts',
        '    if (isTelling) {\n',
        '    if (false as boolean) {\n',
      ),
    ],
  },
  {
    ...inKv,
    name: 'the previous pair of an old event is the event itself',
    kind: 'watch',
    seed: 1,
    edits: [
      change(
        'member/history-reader.ts',
        `  const before = record?.mainAt(main - 1) ?? 0
  if (record === undefined || before === 0) return undefined
  return backend.get(rowKey(before, record.subAt(main - 1)))`,
        `  const before = record?.mainAt(main) ?? 0
  if (record === undefined || before === 0) return undefined
  return backend.get(rowKey(before, record.subAt(main)))`,
      ),
    ],
  },
  {
    ...inKv,
    name: 'a watcher of the future hears of what comes before',
    kind: 'watch',
    seed: 2,
    edits: [
      change(
        'watch/watch-hub.ts',
        'else if (watcher.nextRevision <= firstRevision) this.#send',
        'else if (watcher.nextRevision <= firstRevision + 3) this.#send',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a watcher whose wire was full goes on after what it did not get',
    kind: 'watch',
    seed: 3,
    edits: [
      change(
        'watch/watch-hub.ts',
        'watcher.nextRevision = Math.max(watcher.nextRevision, firstRevision)\n    this.#unsynced.add(watcher)',
        'watcher.nextRevision = Math.max(watcher.nextRevision, firstRevision + 1)\n    this.#unsynced.add(watcher)',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a watcher joins the synced while the tables were read for it',
    kind: 'watch',
    seed: 2,
    edits: [
      change(
        'watch/watch-hub.ts',
        'if (this.#unsynced.has(watcher) && batch.through === this.#revision) this.#join(watcher)',
        'if (this.#unsynced.has(watcher)) this.#join(watcher)',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a read of the history ends within a revision',
    kind: 'watch',
    seed: 2,
    edits: [
      change(
        'member/history-reader.ts',
        '      if (position === undefined) continue\n',
        `      if (position === undefined) continue
      if (events.length >= 3) return { events, through: last }
`,
      ),
    ],
  },
]

const leaseMutants: readonly Mutant[] = [
  {
    ...inKv,
    name: 'keys are not attached to their leases at a restart',
    kind: 'lease',
    seed: 1,
    edits: [
      change(
        'mvcc/store.ts',
        '    if (kv.lease !== 0n && this.#leases.exists(kv.lease)) this.#leases.attach(kv.lease, key)\n',
        '',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a leader that slept renews leases without asking',
    kind: 'lease',
    seed: 153,
    edits: [
      change(
        'member/lease-keeper.ts',
        'if (!this.#mustConfirm && this.#options.lessor().exists(id)) {',
        'if (this.#options.lessor().exists(id)) {',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a leader that does not know a lease says at once that it is gone',
    kind: 'lease',
    seed: 43,
    edits: [
      change(
        'member/lease-keeper.ts',
        'if (!this.#mustConfirm && this.#options.lessor().exists(id)) {',
        'if (!this.#mustConfirm) {',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a new leader gives leases no time of their own',
    kind: 'lease',
    seed: 1,
    edits: [
      change(
        'lease/lessor.ts',
        'lease.expiresAtMs = nowMs + seconds * 1000 + extendMs',
        'lease.expiresAtMs = nowMs + extendMs',
      ),
    ],
  },
  {
    ...inKv,
    name: 'the keys of a lease are deleted one by one',
    kind: 'lease',
    seed: 1,
    edits: [
      change(
        'member/state-machine.ts',
        `      this.#store.deleteKeys(keys)
      this.#lessor.remove(id)
`,
        `      for (const key of keys) {
        this.#store.deleteKeys([key])
        this.#endWrite()
        this.#store.beginWrite()
      }
      this.#lessor.remove(id)
`,
      ),
    ],
  },
  {
    ...inKv,
    name: 'a put takes a lease that is gone',
    kind: 'lease',
    seed: 7,
    edits: [
      change(
        'mvcc/store.ts',
        "    if (isMissing) throw new KvError('LEASE_NOT_FOUND')\n",
        "    if (isMissing && request.prevKv) throw new KvError('LEASE_NOT_FOUND')\n",
      ),
      change(
        'mvcc/store.ts',
        '      if (lease !== 0n) this.#leases.attach(lease, key)\n',
        '      if (this.#leases.exists(lease)) this.#leases.attach(lease, key)\n',
      ),
    ],
  },
  {
    ...inKv,
    name: 'the leases of a snapshot do not take the place of those before',
    kind: 'lease',
    seed: 32,
    edits: [
      change(
        'member/state-machine.ts',
        '      this.#lessor = loaded.lessor\n      this.#alarms',
        '      this.#alarms',
      ),
    ],
  },
  {
    ...inKv,
    name: 'a key that is put without its lease stays on it',
    kind: 'lease',
    seed: 1,
    edits: [change('mvcc/store.ts', '      if (oldLease !== 0n) this.#leases.detach(key)\n', '')],
  },
]

/** Users, alarms and puts with a TTL, which only some seeds have. */
const extraMutants: readonly Mutant[] = [
  {
    ...inKv,
    name: 'nobody looks whether a put is allowed',
    kind: 'users',
    seed: 14,
    edits: [
      change('member/state-machine.ts', '      this.auth.permits.put(this.#caller, request)\n', ''),
    ],
  },
  {
    ...inKv,
    name: 'the users of a snapshot do not take the place of those before',
    kind: 'users',
    seed: 19,
    edits: [change('member/state-machine.ts', '      this.auth.restored(loaded.auth)\n', '')],
  },
  {
    ...inKv,
    name: 'what a role may is remembered after it was changed',
    kind: 'users',
    seed: 14,
    edits: [change('auth/auth-store.ts', '    this.#allowed.clear()\n', '')],
  },
  {
    ...inKv,
    name: 'a restarted member has forgotten its alarms',
    kind: 'alarm',
    seed: 4,
    edits: [change('member/load-state.ts', 'alarms.loadRow(keyText(key))', 'keyText(key)')],
  },
  {
    ...inKv,
    name: 'the lease of a put with a TTL has another name',
    kind: 'lease',
    seed: 12,
    edits: [
      change(
        'member/member.ts',
        'const named = lease !== 0n ? request : { ...request,',
        'const named = lease < 0n ? request : { ...request,',
      ),
    ],
  },
  {
    ...inKv,
    name: 'the lease of a put with a TTL outlives what was asked for',
    kind: 'lease',
    seed: 11,
    edits: [
      change(
        'member/state-machine.ts',
        'if (isGranted) this.#lessor.grant(lease, ttlSeconds,',
        'if (isGranted) this.#lessor.grant(lease, ttlSeconds + 1,',
      ),
    ],
  },
]

export const kvMutants: readonly Mutant[] = [
  ...historyMutants,
  ...readMutants,
  ...watchMutants,
  ...leaseMutants,
  ...extraMutants,
]
