// What `balsa kv` prints: etcdctl's simple lines, with keys and values as the bytes they are, and its JSON.
import type { DeleteResult, KvEvent, KvHeader, KvPair, PutResult, RangeResult } from '../../kv.ts'
import type { KvGlobals } from './kv-options.ts'

/** JSON with bigints as plain numbers, which JSON.stringify cannot write. */
export type Json = string | number | bigint | boolean | undefined | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printLines(lines: readonly string[]): void {
  for (const line of lines) printLine(line)
}

export function printBytes(globals: KvGlobals, ...lines: readonly Uint8Array[]): void {
  const parts = lines.flatMap((bytes) => [globals.hex === true ? hexOf(bytes) : bytes, '\n'])
  process.stdout.write(Buffer.concat(parts.map((part) => Buffer.from(part))))
}

export function printJson(value: Json): void {
  printLine(jsonText(value))
}

export function printEvent(globals: KvGlobals, { type, kv, prev }: KvEvent): void {
  printLine(type.toUpperCase())
  if (prev !== undefined) printBytes(globals, prev.key, prev.value)
  printBytes(globals, kv.key, kv.value)
}

export function printFound(
  globals: KvGlobals,
  { pairs }: Pick<RangeResult, 'pairs'>,
  isValueOnly = false,
): void {
  for (const { key, value } of pairs) {
    if (isValueOnly) printBytes(globals, value)
    else printBytes(globals, key, value)
  }
}

export function printPut(globals: KvGlobals, prev: KvPair | undefined): void {
  printLine('OK')
  if (prev !== undefined) printBytes(globals, prev.key, prev.value)
}

export function printDeleted(globals: KvGlobals, deleted: number, prev: readonly KvPair[]): void {
  printLine(String(deleted))
  printFound(globals, { pairs: prev })
}

/** An answer of its own has a whole header, one within a transaction its revision alone. */
export interface HeaderPart {
  readonly revision: number
  readonly header?: KvHeader
}
export type FoundPart = Omit<RangeResult, 'header'> & HeaderPart
export type PutPart = Omit<PutResult, 'header'> & HeaderPart
export type DeletedPart = Omit<DeleteResult, 'header'> & HeaderPart

export function foundJson(found: FoundPart): JsonObject {
  const { pairs, count, more } = found
  const kvs = pairs.length === 0 ? undefined : pairs.map(pairJson)
  return { header: headerJson(found), kvs, more: more || undefined, count: count || undefined }
}

export function putJson(put: PutPart): JsonObject {
  const prev_kv = put.prev === undefined ? undefined : pairJson(put.prev)
  return { header: headerJson(put), prev_kv }
}

export function deletedJson(result: DeletedPart): JsonObject {
  const { deleted, prev } = result
  const prev_kvs = prev.length === 0 ? undefined : prev.map(pairJson)
  return { header: headerJson(result), deleted: deleted || undefined, prev_kvs }
}

export function headerJson({ revision, header }: HeaderPart): JsonObject {
  return {
    cluster_id: header?.clusterId,
    member_id: header?.memberId,
    revision,
    raft_term: header?.raftTerm,
  }
}

/** Zeros are left out, as protobuf's JSON does. */
export function pairJson(pair: KvPair): JsonObject {
  return {
    key: base64(pair.key),
    create_revision: pair.createRevision || undefined,
    mod_revision: pair.modRevision,
    version: pair.version || undefined,
    value: pair.value.length === 0 ? undefined : base64(pair.value),
    lease: pair.lease || undefined,
  }
}

export function eventJson({ type, kv, prev }: KvEvent): JsonObject {
  return {
    type: type === 'delete' ? 1 : undefined,
    kv: pairJson(kv),
    prev_kv: prev === undefined ? undefined : pairJson(prev),
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

export function hexId(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16).padStart(16, '0')
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

function jsonText(value: Json): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`)
  return `{${fields.join(',')}}`
}
