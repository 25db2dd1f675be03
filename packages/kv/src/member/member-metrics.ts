// What the member measures, under etcd's metric names, so that dashboards made for etcd work. Gauges are read when asked for; only
// counters and durations cost anything on the way.
import type { RaftMetrics } from '@balsa/raft'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CommandName } from './command.ts'
import { etcdClusterVersion, etcdVersion } from './version.ts'

/** etcd's buckets: 1 ms times powers of two, up to 8.192 s. */
const durationBuckets = Array.from({ length: 14 }, (_, i) => 0.001 * 2 ** i)

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
  readonly keys: number
  readonly revision: number
  readonly compactRevision: number
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
  readonly #pending: Gauge
  readonly #streams: Gauge
  /** What raft tells of itself. */
  readonly raft: RaftMetrics

  constructor(memberId: string) {
    const mvcc = (what: string): Counter =>
      this.#counter(`etcd_mvcc_${what}_total`, `Number of ${what} operations seen by this member.`)
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
    this.#pending = this.#gauge(
      'etcd_server_proposals_pending',
      'Requests that wait for an answer.',
    )
    this.#streams = this.#gauge('etcd_debugging_mvcc_watch_stream_total', 'Open watch streams.')
    this.raft = this.#raftMetrics()
    this.#constant('etcd_server_id', 'server_id', memberId, 'This member.')
    this.#constant('etcd_server_version', 'server_version', etcdVersion, 'Version of the server.')
    const cluster = 'etcd_cluster_version'
    this.#constant(cluster, 'cluster_version', etcdClusterVersion, 'Version of the cluster.')
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
    gauge('etcd_mvcc_db_total_size_in_use_in_bytes', 'Bytes of rows.', (g) => g.dbUsedBytes)
    gauge('etcd_debugging_mvcc_keys_total', 'Keys in the index.', (g) => g.keys)
    gauge('etcd_debugging_mvcc_current_revision', 'Newest revision.', (g) => g.revision)
    gauge('etcd_debugging_mvcc_compact_revision', 'Oldest one kept.', (g) => g.compactRevision)
    gauge('etcd_debugging_mvcc_watcher_total', 'Watchers.', (g) => g.watchers)
    gauge('etcd_debugging_mvcc_slow_watcher_total', 'Watchers behind.', (g) => g.slowWatchers)
    gauge('etcd_debugging_mvcc_events_total', 'Events sent.', (g) => g.eventsSent)
    const compacted = 'etcd_debugging_mvcc_db_compaction_keys_total'
    gauge(compacted, 'Rows taken away by compaction.', (g) => g.rowsCompacted)
    gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  }

  #raftMetrics(): RaftMetrics {
    const snapshots = 'balsa_snapshots_received_total'
    const received = this.#counter(snapshots, 'Snapshots of the state that peers sent.')
    const slow = 'etcd_server_slow_read_indexes_total'
    const slowReads = this.#counter(slow, 'Reads that waited long for a quorum.')
    const failed = 'etcd_server_read_indexes_failed_total'
    const failedReads = this.#counter(failed, 'Reads that no quorum confirmed.')
    const syncs = new Histogram({
      name: 'etcd_disk_wal_fsync_duration_seconds',
      help: 'Durations of syncs of the log.',
      buckets: durationBuckets,
      registers: [this.#registry],
    })
    return {
      synced: (durationMs) => {
        syncs.observe(durationMs / 1000)
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

  /** A command was applied that this member proposed. */
  applied(name: CommandName): void {
    if (name === 'put') this.#mvcc.put.inc()
    else if (name === 'deleteRange') this.#mvcc.delete.inc()
    else if (name === 'txn') this.#mvcc.txn.inc()
    else if (name === 'leaseGrant') this.#leases.granted.inc()
    else if (name === 'leaseRevoke') this.#leases.revoked.inc()
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

  pendingProposals(count: number): void {
    this.#pending.set(count)
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

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] })
  }

  #constant(name: string, label: string, value: string, help: string): void {
    const gauge = new Gauge({ name, help, labelNames: [label], registers: [this.#registry] })
    gauge.set({ [label]: value }, 1)
  }
}

/** prom-client calls `collect` with the metric as `this`. */
function collectFrom(read: () => number): (this: Gauge) => void {
  return function collect(this: Gauge): void {
    this.set(read())
  }
}
