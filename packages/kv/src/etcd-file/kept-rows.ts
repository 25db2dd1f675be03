// The rows that are the same in our tables and in etcd's buckets but for their keys: their values are etcd's own bytes.
import {
  authRevisionRowKey,
  enabledRowKey,
  roleRowPrefix,
  userRowPrefix,
} from '../auth/auth-rows.ts'
import { alarmRows } from '../member/alarm-book.ts'
import { quotaRows } from '../quota/quota-rule.ts'
import { authKey, bucketName } from './etcd-schema.ts'

export interface KeptRow {
  /** Of our row. */
  readonly row: string
  readonly bucket: string
  readonly key: string
}

/** Single rows. */
export const keptRows: readonly KeptRow[] = [
  { row: enabledRowKey, bucket: bucketName.auth, key: authKey.enabled },
  { row: authRevisionRowKey, bucket: bucketName.auth, key: authKey.revision },
]

/** Where a bucket's keys follow a prefix in our tables; `to` ends the range. */
export const keptTables: Readonly<Record<string, { readonly from: string; readonly to: string }>> =
  {
    [bucketName.alarm]: alarmRows,
    [bucketName.authRoles]: below(roleRowPrefix),
    [bucketName.authUsers]: below(userRowPrefix),
    [bucketName.balsaQuota]: quotaRows,
  }

/** All rows whose keys begin with a prefix that ends with '/'. */
function below(prefix: string): { readonly from: string; readonly to: string } {
  return { from: prefix, to: `${prefix.slice(0, -1)}0` }
}
