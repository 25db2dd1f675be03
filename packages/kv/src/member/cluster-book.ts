// What the log says about the members beside raft's own membership: names and URLs, who was removed, the cluster's version. Every
// command sets rows and refuses nothing, so that a member that replays an old log comes to the same rows; whoever proposes checks first.
import type { Tables } from '../mvcc/tables.ts'
import { KvError } from '../errors.ts'
import { highestCommand, unsaidCommands } from './command.ts'
import {
  decodeAttributes,
  encodeAttributes,
  memberRowKey,
  memberRows,
  type MemberAttributes,
} from './meta-rows.ts'

/** Ids as 16 hex digits. */
export type ClusterCommand =
  | { readonly op: 'add'; readonly id: string; readonly peerUrls: readonly string[] }
  | { readonly op: 'update'; readonly id: string; readonly peerUrls: readonly string[] }
  | { readonly op: 'remove'; readonly id: string }
  | { readonly op: 'version'; readonly version: string }
  /** No `target`: none is under way any more. */
  | { readonly op: 'downgrade'; readonly target: string }
  /** Every member applies the kinds of commands up to `highest`; true in the term of the leader that has seen to it. */
  | { readonly op: 'commands'; readonly highest: number; readonly term: number }

const removedRowPrefix = 'mremoved/'
const versionRowKey = 'mcluster/version'
const downgradeRowKey = 'mcluster/downgrade'
/** Versions that do not know this row do not open tables that have it. */
export const commandsRowKey: string = 'mcluster/commands'

/** All rows of removed members. */
export const removedRows: { readonly from: string; readonly to: string } = {
  from: removedRowPrefix,
  to: 'mremoved0',
}

/** All rows that a book is made of, as ranges. */
export const clusterRows: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'mcluster/', to: 'mcluster0' },
  memberRows,
  removedRows,
]

export class ClusterBook {
  readonly #tables: Tables
  readonly #members = new Map<string, MemberAttributes>()
  readonly #removed = new Set<string>()
  #version: string | undefined
  #downgradeTarget = ''
  #commands = unsaidCommands

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** What is known of members by id; also of some who are not part of the cluster yet, or no more. */
  get members(): ReadonlyMap<string, MemberAttributes> {
    return this.#members
  }

  get removed(): ReadonlySet<string> {
    return this.#removed
  }

  /** Undefined until a leader has settled it. */
  get version(): string | undefined {
    return this.#version
  }

  /** '': no downgrade is under way. */
  get downgradeTarget(): string {
    return this.#downgradeTarget
  }

  /** The highest kind of command that every member applies, from now on and for ever. */
  get commands(): number {
    return this.#commands
  }

  /** Peer URLs are changed by `update` alone: what the flags of a member say is what it began with. */
  publish(body: Uint8Array): void {
    const published = decodeAttributes(body)
    if (this.#removed.has(published.id)) return
    const { peerUrls = [] } = this.#members.get(published.id) ?? {}
    this.#put(peerUrls.length === 0 ? published : { ...published, peerUrls })
  }

  /** `term`: that of the entry. */
  apply(body: Uint8Array, term: number): void {
    const command = decodeClusterCommand(body)
    if (command.op === 'add') {
      this.#put({ id: command.id, name: '', peerUrls: command.peerUrls, clientUrls: [] })
    } else if (command.op === 'update') {
      const { id, peerUrls } = command
      this.#put({ name: '', clientUrls: [], ...this.#members.get(id), id, peerUrls })
    } else if (command.op === 'remove') {
      this.#members.delete(command.id)
      this.#removed.add(command.id)
      this.#tables.delete(memberRowKey(command.id))
      this.#tables.put(removedRowPrefix + command.id, new Uint8Array(0))
    } else if (command.op === 'version') {
      this.#version = command.version
      this.#tables.put(versionRowKey, Buffer.from(command.version))
    } else if (command.op === 'commands') {
      if (command.term !== term || command.highest <= this.#commands) return
      this.#commands = known(command.highest)
      this.#tables.put(commandsRowKey, Buffer.from(String(command.highest)))
    } else {
      this.#downgradeTarget = command.target
      this.#tables.put(downgradeRowKey, Buffer.from(command.target))
    }
  }

  /** Takes in a stored row while loading. */
  loadRow(key: string, value: Uint8Array): void {
    if (key === versionRowKey) this.#version = Buffer.from(value).toString()
    else if (key === downgradeRowKey) this.#downgradeTarget = Buffer.from(value).toString()
    else if (key === commandsRowKey) this.#commands = known(Number(Buffer.from(value).toString()))
    else if (key.startsWith(removedRowPrefix)) this.#removed.add(key.slice(removedRowPrefix.length))
    else {
      const attributes = decodeAttributes(value)
      this.#members.set(attributes.id, attributes)
    }
  }

  #put(attributes: MemberAttributes): void {
    this.#members.set(attributes.id, attributes)
    this.#tables.put(memberRowKey(attributes.id), encodeAttributes(attributes))
  }
}

/** A member that would pass over what the others apply must not go on. */
function known(commands: number): number {
  if (commands <= highestCommand) return commands
  const message = `The cluster uses commands up to kind ${commands}, this version knows them up to ${highestCommand}; start this member with a newer version`
  throw new KvError('CORRUPT', { message })
}

export function encodeClusterCommand(command: ClusterCommand): Uint8Array {
  return Buffer.from(JSON.stringify(command))
}

/** Throws MALFORMED on bytes that are no command. */
export function decodeClusterCommand(bytes: Uint8Array): ClusterCommand {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw new KvError('MALFORMED', { cause })
  }
  if (!isClusterCommand(value)) throw new KvError('MALFORMED')
  return value
}

function isClusterCommand(value: unknown): value is ClusterCommand {
  if (typeof value !== 'object' || value === null) return false
  const { op, id, peerUrls, version, target, highest, term } = value as Record<string, unknown>
  if (op === 'version') return typeof version === 'string'
  if (op === 'downgrade') return typeof target === 'string'
  if (op === 'commands') return Number.isSafeInteger(highest) && Number.isSafeInteger(term)
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) return false
  if (op === 'remove') return true
  const isUrls = Array.isArray(peerUrls) && peerUrls.every((url) => typeof url === 'string')
  return (op === 'add' || op === 'update') && isUrls
}
