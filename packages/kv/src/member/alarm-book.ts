// The alarms of the cluster, raised and cleared through the log: what they forbid is forbidden on every member from the same entry
// on. Rows hold etcd's bytes, so that a snapshot keeps them.
import { KvError } from '../errors.ts'
import { keyText } from '../mvcc/key-text.ts'
import { txnCost } from '../mvcc/request-cost.ts'
import type { Tables } from '../mvcc/tables.ts'
import {
  decodeAlarmMember,
  decodeTxnRequest,
  encodeAlarmMember,
  type AlarmRequest,
} from '../proto/index.ts'
import { alarmAction, alarmType, type AlarmMember } from '../proto/messages.ts'
import type { CommandName } from './command.ts'

const alarmRowPrefix = 'malarm/'
const noBytes: Uint8Array = new Uint8Array(0)

/** All rows of alarms. */
export const alarmRows: { readonly from: string; readonly to: string } = {
  from: alarmRowPrefix,
  to: 'malarm0',
}

export class AlarmBook {
  readonly #tables: Tables
  /** By row key. */
  readonly #raised = new Map<string, AlarmMember>()

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** Those of one kind, or all; in order of kind and member. */
  list(alarm: number = alarmType.none): AlarmMember[] {
    return [...this.#raised.values()]
      .filter((raised) => alarm === alarmType.none || raised.alarm === alarm)
      .sort((a, b) => a.alarm - b.alarm || Number(a.memberId > b.memberId) || -1)
  }

  isRaised(alarm: number, memberId?: bigint): boolean {
    return this.list(alarm).some((raised) => memberId === undefined || raised.memberId === memberId)
  }

  /** Returns what the reply lists: all of the kind for a question, else the alarm that is now raised or cleared. */
  apply({ action, memberId, alarm }: AlarmRequest): AlarmMember[] {
    if (action === alarmAction.get) return this.list(alarm)
    // etcd falls over these; there is nothing that they could mean.
    if (alarm !== alarmType.noSpace && alarm !== alarmType.corrupt) return []
    const member = { memberId, alarm }
    const row = alarmRowKey(member)
    if (action === alarmAction.activate) {
      this.#raised.set(row, member)
      this.#tables.put(row, noBytes)
      return [member]
    }
    if (action !== alarmAction.deactivate || !this.#raised.delete(row)) return []
    this.#tables.delete(row)
    return [member]
  }

  /** What a command is refused with while alarms are raised; undefined if they do not forbid it. */
  refusal(name: CommandName, body: Uint8Array): KvError | undefined {
    if (this.#raised.size === 0) return undefined
    if (this.isRaised(alarmType.corrupt)) {
      return frozenByCorruption.has(name) ? new KvError('CORRUPT_CLUSTER') : undefined
    }
    const isPut = name === 'put' || name === 'leaseGrant'
    if (isPut || (name === 'txn' && txnCost(decodeTxnRequest(body)) > 0)) {
      return new KvError('NO_SPACE')
    }
    return undefined
  }

  /** Takes in a stored alarm while loading. */
  loadRow(row: string): void {
    const bytes = Uint8Array.from(row.slice(alarmRowPrefix.length), (char) => char.charCodeAt(0))
    this.#raised.set(row, decodeAlarmMember(bytes))
  }
}

const frozenByCorruption: ReadonlySet<CommandName> = new Set([
  'put',
  'deleteRange',
  'txn',
  'compact',
  'leaseGrant',
  'leaseRevoke',
  'leaseExpire',
])

/** The row is there while the alarm is raised. */
export function alarmRowKey(member: AlarmMember): string {
  return alarmRowPrefix + keyText(encodeAlarmMember(member))
}
