// The rows that are the same in our tables and in etcd's buckets but for their keys: their values are etcd's own bytes.
import { alarmRows } from '../member/alarm-book.ts'
import { authKey, bucketName } from './etcd-schema.ts'

export interface KeptRow {
  /** Of our row. */
  readonly row: string
  readonly bucket: string
  readonly key: string
}

/** Single rows. */
export const keptRows: readonly KeptRow[] = [
  { row: 'aenabled', bucket: bucketName.auth, key: authKey.enabled },
  { row: 'arevision', bucket: bucketName.auth, key: authKey.revision },
]

/** Where a bucket's keys follow a prefix in our tables; `to` ends the range. */
export const keptTables: Readonly<Record<string, { readonly from: string; readonly to: string }>> =
  {
    [bucketName.alarm]: alarmRows,
    [bucketName.authRoles]: { from: 'ar/', to: 'ar0' },
    [bucketName.authUsers]: { from: 'au/', to: 'au0' },
  }
