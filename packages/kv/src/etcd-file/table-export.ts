// Our tables as etcd's buckets: a pinned view becomes the contents of a file that etcd boots from.
import type { BackendView, Row } from '../backend/backend.ts'
import { leaseTable, parseLeaseRow } from '../lease/lease-row.ts'
import { removedRows } from '../member/cluster-book.ts'
import {
  decodeAttributes,
  decodeState,
  memberRows,
  stateRowKey,
  type AppliedState,
  type MemberAttributes,
} from '../member/meta-rows.ts'
import { keyText } from '../mvcc/key-text.ts'
import { historyTable } from '../mvcc/revision.ts'
import { quotaRows } from '../quota/quota-rule.ts'
import {
  bucketName,
  clusterVersionKey,
  encodeEtcdLease,
  encodeLeaseId,
  encodeNumber,
  encodeRevision,
  fileClusterVersion,
  metaKey,
} from './etcd-schema.ts'
import type { BucketRows, FileRow } from './file-writer.ts'
import { keptRows, keptTables } from './kept-rows.ts'

/** The buckets in order of their names; each of them may be read again and again while the view is held. */
export async function bucketsOf(view: BackendView): Promise<readonly BucketRows[]> {
  const state = await readState(view)
  const table = (
    name: string,
    range: { readonly from: string; readonly to: string },
    convert: (row: Row) => FileRow,
  ): BucketRows => ({
    name,
    async *rows() {
      for await (const rows of view.rows(range.from, range.to)) yield rows.map(convert)
    },
  })
  const kept = (name: string): BucketRows => {
    const { from, to } = keptTables[name] ?? { from: '', to: '' }
    return table(name, { from, to }, ([row, value]) => [row.subarray(from.length), value])
  }
  const { alarm, auth, authRoles, authUsers, balsaQuota, cluster, key, lease } = bucketName
  const { members, membersRemoved, meta } = bucketName
  return [
    kept(alarm),
    fixed(auth, await readKept(view, auth)),
    kept(authRoles),
    kept(authUsers),
    ...((await hasRow(view, quotaRows)) ? [kept(balsaQuota)] : []),
    fixed(cluster, [[Buffer.from(clusterVersionKey), Buffer.from(fileClusterVersion)]]),
    table(key, tableRange(historyTable), ([row, value]) => [row.subarray(1), value]),
    table(lease, tableRange(leaseTable), leaseRow),
    fixed(members, await readMembers(view)),
    fixed(membersRemoved, await readRemoved(view)),
    fixed(meta, metaRows(state)),
  ]
}

async function readState(view: BackendView): Promise<AppliedState> {
  return decodeState(await readRow(view, stateRowKey))
}

async function readRow(view: BackendView, row: string): Promise<Uint8Array | undefined> {
  for await (const rows of view.rows(row, `${row}\0`)) {
    for (const [, value] of rows) return value
  }
  return undefined
}

async function hasRow(
  view: BackendView,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  for await (const rows of view.rows(from, to)) if (rows.length > 0) return true
  return false
}

/** Few rows: they are read at once. */
async function readKept(view: BackendView, bucket: string): Promise<readonly FileRow[]> {
  const found: FileRow[] = []
  for (const each of keptRows) {
    const value = each.bucket === bucket ? await readRow(view, each.row) : undefined
    if (value !== undefined) found.push([Buffer.from(each.key), value])
  }
  return found
}

function metaRows({ index, term, compactRevision }: AppliedState): readonly FileRow[] {
  const compacted = encodeRevision(Math.max(compactRevision, 0))
  const compactRows: readonly FileRow[] =
    compactRevision > 0
      ? [
          [Buffer.from(metaKey.finishedCompact), compacted],
          [Buffer.from(metaKey.scheduledCompact), compacted],
        ]
      : []
  return [
    [Buffer.from(metaKey.consistentIndex), encodeNumber(index)],
    ...compactRows,
    [Buffer.from(metaKey.term), encodeNumber(term)],
  ]
}

function leaseRow([row, value]: Row): FileRow {
  const lease = parseLeaseRow(keyText(row), value)
  return [encodeLeaseId(lease.id), encodeEtcdLease(lease)]
}

async function readMembers(view: BackendView): Promise<readonly FileRow[]> {
  const found: FileRow[] = []
  for await (const rows of view.rows(memberRows.from, memberRows.to)) {
    for (const [, value] of rows) {
      const attributes = decodeAttributes(value)
      found.push([Buffer.from(etcdId(attributes.id)), Buffer.from(memberJson(attributes))])
    }
  }
  return found.sort(([a], [b]) => Buffer.compare(a, b))
}

async function readRemoved(view: BackendView): Promise<readonly FileRow[]> {
  const found: FileRow[] = []
  for await (const rows of view.rows(removedRows.from, removedRows.to)) {
    for (const [row] of rows) {
      const id = keyText(row).slice(removedRows.from.length)
      found.push([Buffer.from(etcdId(id)), Buffer.from('removed')])
    }
  }
  return found.sort(([a], [b]) => Buffer.compare(a, b))
}

/** Ids are 64 bits: a number in etcd's JSON, and too large for one of ours. */
function memberJson({ id, name, peerUrls, clientUrls }: MemberAttributes): string {
  const urls = { peerURLs: peerUrls, name, clientURLs: clientUrls }
  return `{"id":${BigInt(`0x${id}`)},${JSON.stringify(urls).slice(1)}`
}

/** As etcd writes ids: without zeros in front. */
function etcdId(id: string): string {
  return BigInt(`0x${id}`).toString(16)
}

function fixed(name: string, rows: readonly FileRow[]): BucketRows {
  return {
    name,
    async *rows() {
      yield await Promise.resolve(rows)
    },
  }
}

function tableRange(table: string): { readonly from: string; readonly to: string } {
  return { from: table, to: String.fromCharCode(table.charCodeAt(0) + 1) }
}
