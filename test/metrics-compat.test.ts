// /metrics against etcd's: the same names with the same types, and the same counts after the same requests.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { missing } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}

/** What is of bbolt, of the v2 store, of Go, or of etcd's own proxy, snapshots and metric handler, and has no like here. */
const absent = [
  /^go_/,
  /^promhttp_/,
  /^etcd_debugging_store_/,
  /^etcd_debugging_disk_backend_commit_/,
  /^etcd_debugging_snap_save_marshalling_duration_seconds$/,
  /^etcd_snap_/,
  /^etcd_grpc_proxy_/,
  /^etcd_debugging_mvcc_(db|index)_compaction_(pause|total)_duration_milliseconds$/,
  /^etcd_debugging_mvcc_total_put_size_in_bytes$/,
  /^etcd_debugging_server_lease_expired_total$/,
  /^etcd_debugging_auth_revision$/,
  /^etcd_disk_backend_snapshot_duration_seconds$/,
  /^etcd_mvcc_db_open_read_transactions$/,
  /^etcd_server_go_version$/,
  /^etcd_server_heartbeat_send_failures_total$/,
  /^etcd_server_learner_promote_successes$/,
  /^etcd_server_snapshot_apply_in_progress_total$/,
]
/** Counts that the requests of this test alone decide. */
const decided = [
  'etcd_debugging_lease_granted_total',
  'etcd_debugging_lease_renewed_total',
  'etcd_debugging_lease_revoked_total',
  'etcd_debugging_lease_ttl_total_count',
  'etcd_debugging_mvcc_current_revision',
  'etcd_debugging_mvcc_slow_watcher_total',
  'etcd_debugging_mvcc_watcher_total',
  'etcd_debugging_mvcc_put_total',
  'etcd_mvcc_put_total',
  'etcd_mvcc_txn_total',
  'etcd_server_has_leader',
  'etcd_server_is_leader',
  'etcd_server_is_learner',
  'etcd_server_proposals_failed_total',
  'etcd_server_proposals_pending',
  'grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
  'grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
  'grpc_server_handled_total{grpc_code="InvalidArgument",grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
  'grpc_server_handled_total{grpc_code="OK",grpc_method="Txn",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
  'grpc_server_msg_received_total{grpc_method="LeaseKeepAlive",grpc_service="etcdserverpb.Lease",grpc_type="bidi_stream"}',
  'grpc_server_msg_sent_total{grpc_method="LeaseKeepAlive",grpc_service="etcdserverpb.Lease",grpc_type="bidi_stream"}',
]

interface Scrape {
  readonly types: ReadonlyMap<string, string>
  readonly values: ReadonlyMap<string, number>
}

async function scrape(server: Server): Promise<Scrape> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const types = new Map<string, string>()
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (name !== '') types.set(name, type)
    const [, series = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    const sorted = labels === '' ? '' : `{${labels.split(',').sort().join(',')}}`
    if (series !== '') values.set(series + sorted, Number(value))
  }
  return { types, values }
}

async function use(server: Server): Promise<void> {
  const post = async (path: string, body: unknown): Promise<void> => {
    await (
      await fetch(`${server.url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) })
    ).text()
  }
  const [a, b] = ['YQ==', 'Yg==']
  for (let i = 0; i < 5; i++) await post('kv/put', { key: a, value: b })
  await post('kv/put', { key: b })
  await post('kv/put', {})
  for (let i = 0; i < 3; i++) await post('kv/range', { key: a })
  await post('kv/txn', { success: [{ request_put: { key: a } }, { request_put: { key: b } }] })
  await post('kv/txn', { success: [{ request_range: { key: a } }] })
  await post('kv/deleterange', { key: a })
  await post('lease/grant', { ID: 1, TTL: 100 })
  await post('lease/grant', { ID: 2, TTL: 100 })
  await post('lease/keepalive', '')
  await post('lease/keepalive', { ID: 1 })
  await post('lease/revoke', { ID: 2 })
}

describe.skipIf(missing('etcd'))('/metrics', () => {
  let etcd: Server
  let balsa: Server
  beforeAll(async () => {
    ;[etcd, balsa] = await Promise.all([startEtcd(), openBalsaMember()])
    await Promise.all([use(etcd), use(balsa)])
  })
  afterAll(async () => {
    await etcd[Symbol.asyncDispose]()
    await balsa[Symbol.asyncDispose]()
  })

  test("has etcd's names with their types", async () => {
    const [wanted, found] = await Promise.all([scrape(etcd), scrape(balsa)])
    const names = [...wanted.types.keys()].filter((name) => !absent.some((each) => each.test(name)))
    expect(names.length).toBeGreaterThan(50)
    const typesOf = ({ types }: Scrape): unknown => names.map((name) => [name, types.get(name)])
    expect(typesOf(found)).toEqual(typesOf(wanted))
  })

  test('has the values that etcd has', async () => {
    const [wanted, found] = await Promise.all([scrape(etcd), scrape(balsa)])
    const valuesOf = ({ values }: Scrape): unknown =>
      decided.map((name) => [name, values.get(name)])
    expect(valuesOf(found)).toEqual(valuesOf(wanted))
  })

  test('has live values of this process and its disk', async () => {
    const { values } = await scrape(balsa)
    for (const name of [
      'process_resident_memory_bytes',
      'process_open_fds',
      'os_fd_limit',
      'etcd_disk_wal_fsync_duration_seconds_count',
      'etcd_disk_wal_write_bytes_total',
      'etcd_mvcc_db_total_size_in_bytes',
      'etcd_network_client_grpc_received_bytes_total',
      'etcd_server_proposals_applied_total',
    ]) {
      expect(values.get(name), name).toBeGreaterThan(0)
    }
    const began = values.get('process_start_time_seconds') ?? 0
    expect(Math.abs(Date.now() / 1000 - process.uptime() - began)).toBeLessThan(60)
  })
})
