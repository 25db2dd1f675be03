// How etcdctl prints users, roles and permissions.
import type { KvPermission } from '../../kv.ts'
import { prefixEnd } from '../../mvcc/key-range.ts'
import type { ResponseHeader } from '../../proto/messages.ts'
import { base64, printJson, printLine, type JsonObject } from './kv-output.ts'
import { quotedBytes } from './quoted-bytes.ts'

const kindNumbers = { read: 0, write: 1, readWrite: 2 } as const
const kindNames = { read: 'READ', write: 'WRITE', readWrite: 'READWRITE' } as const

export function printRole(name: string, permissions: readonly KvPermission[]): void {
  printLine(`Role ${name}`)
  for (const kind of ['read', 'write'] as const) {
    printLine(kind === 'read' ? 'KV Read:' : 'KV Write:')
    for (const permission of permissions) {
      const isOfKind = permission.kind === kind || permission.kind === 'readWrite'
      if (isOfKind) printLine(`\t${rangeText(permission)}`)
    }
  }
}

/** `[a, b)`, with the prefix that it is if it is one. */
function rangeText({ key, rangeEnd }: KvPermission): string {
  if (rangeEnd.length === 0) return text(key)
  const end = Buffer.from(rangeEnd)
  const isOpen = end.equals(Buffer.alloc(1))
  const range = bracketed(key, rangeEnd)
  return !isOpen && end.equals(prefixEnd(key)) ? `${range} (prefix ${text(key)})` : range
}

/** The range as it is named when it is taken away. */
export function bracketed(key: Uint8Array, rangeEnd: Uint8Array): string {
  const isOpen = Buffer.from(rangeEnd).equals(Buffer.alloc(1))
  return isOpen ? `[${text(key)}, <open ended>` : `[${text(key)}, ${text(rangeEnd)})`
}

export function permissionJson({ kind, key, rangeEnd }: KvPermission): JsonObject {
  return {
    permType: (kind && kindNumbers[kind]) || undefined,
    key: key.length === 0 ? undefined : base64(key),
    range_end: rangeEnd.length === 0 ? undefined : base64(rangeEnd),
  }
}

export function permissionFields({ kind, key, rangeEnd }: KvPermission): string[] {
  const name = kind === undefined ? '' : kindNames[kind]
  return [
    `"PermType" :  ${name}`,
    `"Key" : ${quotedBytes(key)}`,
    `"RangeEnd" : ${quotedBytes(rangeEnd)}`,
  ]
}

export function printHeaderJson(header: ResponseHeader | undefined, more: JsonObject = {}): void {
  const { clusterId, memberId, revision, raftTerm } = header ?? {}
  const shown = { cluster_id: clusterId, member_id: memberId, revision, raft_term: raftTerm }
  printJson({ header: shown, ...more })
}

export function printHeaderFields(header: ResponseHeader | undefined): void {
  const { clusterId, memberId, revision, raftTerm } = header ?? {}
  printLine(`"ClusterID" : ${clusterId}`)
  printLine(`"MemberID" : ${memberId}`)
  printLine(`"Revision" : ${revision}`)
  printLine(`"RaftTerm" : ${raftTerm}`)
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
