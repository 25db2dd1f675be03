// What the member measures, under etcd's metric names, so that dashboards made for etcd work. Gauges are read when asked for; only
// counters and durations cost anything on the way.
import type { RaftMetrics } from '@balsa/raft'
import { Counter, Gauge, Histogram, Registry } from '../prometheus.ts'
import type { QuotaUse } from '../quota/quota-use.ts'
import { KvError } from '../errors.ts'
import type { ResponseOp } from '../proto/messages.ts'
import { registerProcessMetrics } from './process-metrics.ts'
import type { AppliedEntryReport } from './state-machine.ts'
import { etcdClusterVersion, etcdVersion } from './version.ts'

/** etcd's buckets: 1 ms times powers of two, up to 8.192 s. */
const durationBuckets = Array.from({ length: 14 }, (_, i) => 0.001 * 2 ** i)

/** etcd's buckets of lease times: powers of two from a second to 97 days. */
const ttlBuckets = Array.from({ length: 24 }, (_, i) => 2 ** i)

/** etcd counts an entry as slow that takes longer. */
const slowApplyMs = 100

/** etcd counts a read as slow when its leader does not answer for so long. */
const slowReadMs = 500

/** Read whenever metrics are asked for. */
export interface MemberGauges {
  readonly hasLeader: boolean
  readonly isLeader: boolean
  readonly isLearner: boolean
  readonly committedIndex: number
  readonly appliedIndex: number
  readonly dbSizeBytes: number
  readonly dbUsedBytes: number
  readonly quotaBytes: number
  readonly keys: number
  readonly revision: number
  readonly compactRevision: number
  readonly authRevision: number
  readonly watchers: number
  readonly slowWatchers: number
  readonly eventsSent: number
  readonly rowsCompacted: number
}

export class MemberMetrics {
  readonly #registry = new Registry()
  readonly #mvcc: Record<'put' | 'range' | 'delete' | 'txn', Counter>
  readonly #leases: Record<'granted' | 'revoked' | 'renewed', Counter>
  readonly #leaderChanges: Counter
  readonly #failed: Counter
  readonly #slowApplies: Counter
  readonly #leaseTtls: Histogram
  readonly #commits: Histogram
  readonly #defrags: Histogram
  readonly #defragInflight: Gauge
  readonly #hashes: Record<'all' | 'revision', Histogram>
  readonly #streams: Gauge
  /** What raft tells of itself. */
  readonly raft: RaftMetrics

  constructor(memberId: string) {
    const mvcc = (what: string): Counter => {
      const help = `Number of ${what} operations seen by this member.`
      const counter = this.#counter(`etcd_mvcc_${what}_total`, help)
      // etcd has it under two names.
      const value = async (): Promise<number> => (await counter.get()).values[0]?.value ?? 0
      this.#count(`etcd_debugging_mvcc_${what}_total`, help, value)
      return counter
    }
    const leases = (what: string): Counter =>
      this.#counter(`etcd_debugging_lease_${what}_total`, `Number of leases ${what}.`)
    this.#mvcc = {
      put: mvcc('put'),
      range: mvcc('range'),
      delete: mvcc('delete'),
      txn: mvcc('txn'),
    }
    this.#leases = {
      granted: leases('granted'),
      revoked: leases('revoked'),
      renewed: leases('renewed'),
    }
    const changes = 'etcd_server_leader_changes_seen_total'
    this.#leaderChanges = this.#counter(changes, 'Number of leader changes seen.')
    const failed = 'etcd_server_proposals_failed_total'
    this.#failed = this.#counter(failed, 'Number of proposals that were refused or lost.')
    this.#streams = this.#gauge('etcd_debugging_mvcc_watch_stream_total', 'Open watch streams.')
    const slow = 'etcd_server_slow_apply_total'
    this.#slowApplies = this.#counter(slow, 'Entries that took long to apply.')
    this.#leaseTtls = new Histogram({
      name: 'etcd_debugging_lease_ttl_total',
      help: 'Seconds that leases were granted for.',
      buckets: ttlBuckets,
      registers: [this.#registry],
    })
    const disk = (what: string, help: string): Histogram =>
      this.#durations(`etcd_disk_backend_${what}_duration_seconds`, help)
    this.#commits = disk('commit', 'Batches of rows handed to the storage.')
    this.#defrags = disk('defrag', 'Defragmentations.')
    this.#defragInflight = this.#gauge('etcd_disk_defrag_inflight', 'Defragmentations going on.')
    this.#hashes = {
      all: this.#durations('etcd_mvcc_hash_duration_seconds', 'Hashes of everything.'),
      revision: this.#durations('etcd_mvcc_hash_rev_duration_seconds', 'Hashes at a revision.'),
    }
    this.raft = this.#raftMetrics()
    this.#constant('etcd_server_id', 'server_id', memberId, 'This member.')
    this.#constant('etcd_server_version', 'server_version', etcdVersion, 'Version of the server.')
    const cluster = 'etcd_cluster_version'
    const minor = etcdClusterVersion.replace(/\.\d+$/, '')
    this.#constant(cluster, 'cluster_version', minor, 'Version of the cluster.')
    registerProcessMetrics(this.#registry)
  }

  /** Names what to read when metrics are asked for; called once. */
  watchGauges(read: () => MemberGauges): void {
    const gauge = (name: string, help: string, value: (gauges: MemberGauges) => number): void => {
      const collect = collectFrom(() => value(read()))
      this.#registry.registerMetric(new Gauge({ name, help, registers: [], collect }))
    }
    gauge('etcd_server_has_leader', 'Whether a leader is known.', (g) => Number(g.hasLeader))
    gauge('etcd_server_is_leader', 'Whether this member leads.', (g) => Number(g.isLeader))
    gauge('etcd_server_is_learner', 'Whether it is a learner.', (g) => Number(g.isLearner))
    gauge('etcd_server_proposals_committed_total', 'Commit index.', (g) => g.committedIndex)
    gauge('etcd_server_proposals_applied_total', 'Applied index.', (g) => g.appliedIndex)
    gauge('etcd_mvcc_db_total_size_in_bytes', 'Bytes on disk.', (g) => g.dbSizeBytes)
    gauge('etcd_debugging_mvcc_db_total_size_in_bytes', 'Bytes on disk.', (g) => g.dbSizeBytes)
    gauge('etcd_mvcc_db_total_size_in_use_in_bytes', 'Bytes of rows.', (g) => g.dbUsedBytes)
    gauge('etcd_debugging_mvcc_keys_total', 'Keys in the index.', (g) => g.keys)
    gauge('etcd_debugging_mvcc_current_revision', 'Newest revision.', (g) => g.revision)
    gauge('etcd_debugging_auth_revision', 'Users and roles changed.', (g) => g.authRevision)
    gauge('etcd_debugging_mvcc_compact_revision', 'Oldest one kept.', (g) => g.compactRevision)
    gauge('etcd_debugging_mvcc_watcher_total', 'Watchers.', (g) => g.watchers)
    gauge('etcd_debugging_mvcc_slow_watcher_total', 'Watchers behind.', (g) => g.slowWatchers)
    // Nothing is queued for a watcher: what it has not seen is read again.
    gauge('etcd_debugging_mvcc_pending_events_total', 'Events that wait.', () => 0)
    gauge('etcd_server_quota_backend_bytes', 'Limit of the tables.', (g) => g.quotaBytes)
    this.#count('etcd_debugging_mvcc_events_total', 'Events sent.', () => read().eventsSent)
    const compacted = 'etcd_debugging_mvcc_db_compaction_keys_total'
    this.#count(compacted, 'Rows taken away by compaction.', () => read().rowsCompacted)
  }

  /** Names what to read of the quotas when metrics are asked for; called once. */
  watchQuotas(read: () => readonly QuotaUse[]): void {
    const gauge = (name: string, help: string, value: (use: QuotaUse) => number): void => {
      const collect = function collect(this: Gauge): void {
        this.reset()
        for (const use of read()) {
          const { user } = use.rule
          this.set(user === '' ? { prefix: use.prefix } : { user }, value(use))
        }
      }
      const labelNames = ['prefix', 'user']
      this.#registry.registerMetric(new Gauge({ name, help, labelNames, registers: [], collect }))
    }
    gauge('balsa_quota_keys', 'Live keys under a quota.', (use) => use.used.keys)
    gauge('balsa_quota_size_bytes', 'Of their keys and values.', (use) => use.used.sizeBytes)
    gauge('balsa_quota_refused_writes', 'Writes refused here.', (use) => use.refused)
  }

  #raftMetrics(): RaftMetrics {
    const snapshots = 'balsa_snapshots_received_total'
    const received = this.#counter(snapshots, 'Snapshots of the state that peers sent.')
    const slow = 'etcd_server_slow_read_indexes_total'
    const slowReads = this.#counter(slow, 'Reads that waited long for a quorum.')
    const failed = 'etcd_server_read_indexes_failed_total'
    const failedReads = this.#counter(failed, 'Reads that no quorum confirmed.')
    const syncs = this.#durations('etcd_disk_wal_fsync_duration_seconds', 'Syncs of the log.')
    const written = this.#gauge('etcd_disk_wal_write_bytes_total', 'Bytes written to the log.')
    const save = 'etcd_debugging_snap_save_total_duration_seconds'
    const checkpoints = this.#durations(save, 'Checkpoints of the tables.')
    const peer = (way: 'sent' | 'received'): Counter =>
      this.#counter(`etcd_network_peer_${way}_bytes_total`, `Bytes ${way}, all peers together.`)
    const [sent, peerReceived] = [peer('sent'), peer('received')]
    return {
      synced: (durationMs, sizeBytes) => {
        syncs.observe(durationMs / 1000)
        written.inc(sizeBytes)
      },
      checkpointed: (_index, durationMs) => {
        checkpoints.observe(durationMs / 1000)
      },
      messageSent: (_type, sizeBytes) => {
        sent.inc(sizeBytes)
      },
      messageReceived: (_type, sizeBytes) => {
        peerReceived.inc(sizeBytes)
      },
      snapshotReceived: () => {
        received.inc()
      },
      readsServed: (_how, reads, latencyMs) => {
        if (latencyMs > slowReadMs) slowReads.inc(reads)
      },
      readsFailed: (reads) => {
        failedReads.inc(reads)
      },
    }
  }

  range(): void {
    this.#mvcc.range.inc()
  }

  /** A txn was served; etcd counts it as one only if it did more than one thing. */
  txn(responses: readonly ResponseOp[]): void {
    const counts = { range: 0, put: 0, deleteRange: 0 }
    countOps(responses, counts)
    const { range, put, deleteRange } = counts
    this.#mvcc.range.inc(range)
    this.#mvcc.put.inc(put)
    this.#mvcc.delete.inc(deleteRange)
    if (range + put + deleteRange > 1) this.#mvcc.txn.inc()
  }

  /** An entry was applied, whoever proposed it. */
  applied({ results, durationMs }: AppliedEntryReport): void {
    if (durationMs > slowApplyMs) this.#slowApplies.inc()
    for (const result of results) {
      if (result instanceof KvError) continue
      if ('responses' in result) this.txn(result.responses)
      else if ('prevKv' in result) this.#mvcc.put.inc()
      else if ('deleted' in result) this.#mvcc.delete.inc()
      else if ('ttl' in result) {
        this.#leases.granted.inc()
        this.#leaseTtls.observe(result.ttl)
      }
    }
  }

  leaseRevoked(): void {
    this.#leases.revoked.inc()
  }

  /** A batch of rows was handed to the storage. */
  committed(durationMs: number): void {
    this.#commits.observe(durationMs / 1000)
  }

  /** Times a defragmentation; its outcome is the result's. */
  async defragment(work: Promise<void>): Promise<void> {
    this.#defragInflight.inc()
    const done = this.#defrags.startTimer()
    try {
      await work
    } finally {
      done()
      this.#defragInflight.dec()
    }
  }

  /** Times a hash from now to the call of the result. */
  hash(what: 'all' | 'revision'): () => void {
    return this.#hashes[what].startTimer()
  }

  leaseRenewed(): void {
    this.#leases.renewed.inc()
  }

  leaderChanged(): void {
    this.#leaderChanges.inc()
  }

  proposalFailed(): void {
    this.#failed.inc()
  }

  /** Names what to read when metrics are asked for; called once. */
  watchPending(read: () => number): void {
    const name = 'etcd_server_proposals_pending'
    const help = 'Requests that wait for an answer.'
    const collect = collectFrom(read)
    this.#registry.registerMetric(new Gauge({ name, help, registers: [], collect }))
  }

  watchStreams(difference: number): void {
    this.#streams.inc(difference)
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] })
  }

  #durations(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: durationBuckets, registers: [this.#registry] })
  }

  /** A count that is read when it is asked for. */
  #count(name: string, help: string, value: () => number | Promise<number>): void {
    this.#registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        async collect(): Promise<void> {
          const count = await value()
          this.reset()
          this.inc(count)
        },
      }),
    )
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] })
  }

  #constant(name: string, label: string, value: string, help: string): void {
    const gauge = new Gauge({ name, help, labelNames: [label], registers: [this.#registry] })
    gauge.set({ [label]: value }, 1)
  }
}

function countOps(
  responses: readonly ResponseOp[],
  counts: { range: number; put: number; deleteRange: number },
): void {
  for (const op of responses) {
    if (op.type === 'txn') countOps(op.response.responses, counts)
    else counts[op.type]++
  }
}

/** prom-client calls `collect` with the metric as `this`. */
function collectFrom(read: () => number): (this: Gauge) => void {
  return function collect(this: Gauge): void {
    this.set(read())
  }
}
