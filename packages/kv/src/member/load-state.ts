// Brings a member's state back from its tables: from the saved index and the rows after it, or, where there is no index that can be
// trusted, from every row.
import { authTable } from '../auth/auth-rows.ts'
import { AuthStore } from '../auth/auth-store.ts'
import type { Backend } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import { leaseTable } from '../lease/lease-row.ts'
import { Lessor } from '../lease/lessor.ts'
import { keyText } from '../mvcc/key-text.ts'
import { historyTable, mainPrefix } from '../mvcc/revision.ts'
import { MvccStore } from '../mvcc/store.ts'
import { QuotaBook } from '../quota/quota-book.ts'
import { quotaRows } from '../quota/quota-rule.ts'
import { AlarmBook, alarmRows } from './alarm-book.ts'
import { ClusterBook, clusterRows } from './cluster-book.ts'
import { decodeIndex } from './index-stream.ts'
import type { MemberClock } from './member-clock.ts'
import { decodeState, stateRowKey, type AppliedState } from './meta-rows.ts'

export interface LoadedState {
  readonly store: MvccStore
  readonly lessor: Lessor
  readonly alarms: AlarmBook
  readonly auth: AuthStore
  readonly cluster: ClusterBook
  readonly quotas: QuotaBook
  readonly applied: AppliedState
  /** Revision of the saved index that was used; 0: none. */
  readonly indexRevision: number
  /** Rows of the history that were read. */
  readonly rowsRead: number
}

export interface LoadOptions {
  readonly backend: Backend
  readonly leaseTtlSecondsMin: number
  readonly clock: MemberClock
}

export async function loadState(options: LoadOptions): Promise<LoadedState> {
  const { backend } = options
  const applied = decodeState(backend.get(stateRowKey))
  const history =
    (await loadFromIndex(options, applied)) ?? (await loadEmpty(options, { indexRevision: 0 }))
  const { store, lessor, indexRevision } = history
  const alarms = new AlarmBook(backend)
  const auth = new AuthStore(backend)
  const cluster = new ClusterBook(backend)
  const quotas = new QuotaBook(backend)
  let rowsRead = 0
  const view = backend.view()
  try {
    const from = indexRevision === 0 ? historyTable : mainPrefix(indexRevision + 1)
    for await (const rows of view.rows(from, nextTable(historyTable))) {
      for (const [key, value] of rows) store.loadRow(keyText(key), value)
      rowsRead += rows.length
    }
    for await (const rows of view.rows(authTable, nextTable(authTable))) {
      for (const [key, value] of rows) auth.loadRow(keyText(key), value)
    }
    for await (const rows of view.rows(alarmRows.from, alarmRows.to)) {
      for (const [key] of rows) alarms.loadRow(keyText(key))
    }
    for await (const rows of view.rows(quotaRows.from, quotaRows.to)) {
      for (const [, value] of rows) quotas.loadRow(value, options.clock.now())
    }
    for (const { from, to } of clusterRows) {
      for await (const rows of view.rows(from, to)) {
        for (const [key, value] of rows) cluster.loadRow(keyText(key), value)
      }
    }
  } finally {
    view.release()
  }
  store.loaded(applied.revision, applied.compactRevision)
  return { store, lessor, alarms, auth, cluster, quotas, applied, indexRevision, rowsRead }
}

type History = Pick<LoadedState, 'store' | 'lessor' | 'indexRevision'>

/** Leases first, since keys attach to them. */
async function loadEmpty(
  { backend, leaseTtlSecondsMin }: LoadOptions,
  { indexRevision }: { indexRevision: number },
): Promise<History> {
  const lessor = new Lessor(backend, leaseTtlSecondsMin)
  const store = new MvccStore(backend, lessor)
  const view = backend.view()
  try {
    for await (const rows of view.rows(leaseTable, nextTable(leaseTable))) {
      for (const [key, value] of rows) lessor.loadRow(keyText(key), value)
    }
  } finally {
    view.release()
  }
  return { store, lessor, indexRevision }
}

/** Undefined if there is no saved index, or it is damaged or newer than the tables: then the rows have all that it said. */
async function loadFromIndex(
  options: LoadOptions,
  applied: AppliedState,
): Promise<History | undefined> {
  const chunks = options.backend.loadIndex()
  if (chunks === undefined) return undefined
  const { store, lessor } = await loadEmpty(options, { indexRevision: 0 })
  try {
    const indexRevision = await decodeIndex(chunks, store, lessor)
    return indexRevision > applied.revision ? undefined : { store, lessor, indexRevision }
  } catch (reason) {
    if (isUseless(reason)) return undefined
    throw reason
  }
}

/** The file is an extra: one that was lost or damaged costs time, not data. */
function isUseless(reason: unknown): boolean {
  if (reason instanceof KvError) return reason.code === 'CORRUPT'
  return reason instanceof Error && 'code' in reason && reason.code === 'ENOENT'
}

function nextTable(table: string): string {
  return String.fromCharCode(table.charCodeAt(0) + 1)
}
