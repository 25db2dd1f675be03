// The cluster's members and its maintenance: the same calls over any wire, and in a member itself.
import { KvError } from '../errors.ts'
import type {
  CallOptions,
  KvAlarm,
  KvCluster,
  KvMaintenance,
  KvMember,
  KvQuota,
  KvQuotaUse,
  KvStatus,
} from '../kv.ts'
import * as proto from '../proto/index.ts'
import { alarmAction } from '../proto/messages.ts'
import { bytesOf } from './convert.ts'

type Endpoint = CallOptions & { readonly endpoint?: string }
export type AdminMethod = `${'Auth' | 'Cluster' | 'Maintenance' | 'Quota'}/${string}`

/** Makes a call; `isSafe` says that it may be repeated whatever happened. Rejects with KvError. */
export type Ask = (
  method: AdminMethod,
  body: Uint8Array,
  options: Endpoint,
  isSafe: boolean,
) => Promise<Uint8Array>

const noBody: Uint8Array = new Uint8Array(0)
const alarmNumbers = { noSpace: 1, corrupt: 2 } as const

export class ClusterClient implements KvCluster {
  readonly #ask: Ask
  readonly #status: (options: CallOptions) => Promise<KvStatus>

  constructor(ask: Ask, status: (options: CallOptions) => Promise<KvStatus>) {
    this.#ask = ask
    this.#status = status
  }

  async members(
    options: CallOptions & { readonly serializable?: boolean } = {},
  ): Promise<readonly KvMember[]> {
    const body = proto.encodeMemberListRequest({ linearizable: options.serializable !== true })
    const reply = await this.#ask('Cluster/MemberList', body, options, true)
    return proto.decodeMemberListResponse(reply).members
  }

  async add(
    peerUrls: readonly string[],
    options: CallOptions & { readonly learner?: boolean } = {},
  ): Promise<KvMember> {
    const body = proto.encodeMemberAddRequest({ peerUrls, isLearner: options.learner === true })
    const reply = await this.#ask('Cluster/MemberAdd', body, options, false)
    return proto.decodeMemberAddResponse(reply).member
  }

  remove(id: bigint, options: CallOptions = {}): Promise<readonly KvMember[]> {
    return this.#change('Cluster/MemberRemove', proto.encodeMemberIdRequest({ id }), options)
  }

  update(
    id: bigint,
    peerUrls: readonly string[],
    options: CallOptions = {},
  ): Promise<readonly KvMember[]> {
    const body = proto.encodeMemberUpdateRequest({ id, peerUrls })
    return this.#change('Cluster/MemberUpdate', body, options)
  }

  promote(id: bigint, options: CallOptions = {}): Promise<readonly KvMember[]> {
    return this.#change('Cluster/MemberPromote', proto.encodeMemberIdRequest({ id }), options)
  }

  /** Only the leader takes it: it is asked where the cluster says that it listens. */
  async moveLeader(to: bigint, options: CallOptions = {}): Promise<void> {
    const { leader } = await this.#status(options)
    const members = await this.members(options)
    const [endpoint] = members.find(({ id }) => id === leader)?.clientUrls ?? []
    const there = endpoint === undefined ? options : { ...options, endpoint }
    const body = proto.encodeMoveLeaderRequest({ targetId: to })
    await this.#ask('Maintenance/MoveLeader', body, there, false)
  }

  async #change(
    method: AdminMethod,
    body: Uint8Array,
    options: CallOptions,
  ): Promise<readonly KvMember[]> {
    return proto.decodeMemberListResponse(await this.#ask(method, body, options, false)).members
  }
}

export class MaintenanceClient implements KvMaintenance {
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  alarms(options: CallOptions = {}): Promise<readonly KvAlarm[]> {
    return this.#alarm(alarmAction.get, undefined, options)
  }

  async clearAlarm(alarm: KvAlarm, options: CallOptions = {}): Promise<void> {
    await this.#alarm(alarmAction.deactivate, alarm, options)
  }

  async defragment(options: Endpoint = {}): Promise<void> {
    await this.#ask('Maintenance/Defragment', noBody, options, true)
  }

  async quotas(options: CallOptions = {}): Promise<readonly KvQuotaUse[]> {
    const reply = await this.#ask('Quota/QuotaList', noBody, options, true)
    return proto.decodeQuotaListResponse(reply).quotas.map(({ rule, ...use }) => {
      return { ...rule, ...use }
    })
  }

  async setQuota(quota: KvQuota, options: CallOptions = {}): Promise<void> {
    const { keysMax = 0, sizeBytesMax = 0, writesPerSecondMax = 0 } = quota
    const rule = { ...subjectOf(quota), keysMax, sizeBytesMax, writesPerSecondMax }
    await this.#ask('Quota/QuotaSet', proto.encodeQuotaSetRequest(rule), options, true)
  }

  async removeQuota(
    subject: Pick<KvQuota, 'prefix' | 'user'>,
    options: CallOptions = {},
  ): Promise<void> {
    const body = proto.encodeQuotaRemoveRequest(subjectOf(subject))
    await this.#ask('Quota/QuotaRemove', body, options, false)
  }

  async #alarm(
    action: number,
    one: KvAlarm | undefined,
    options: CallOptions,
  ): Promise<readonly KvAlarm[]> {
    const number = one === undefined ? 0 : alarmNumbers[one.alarm]
    const request = { action, memberId: one?.memberId ?? 0n, alarm: number }
    // Clearing an alarm twice is clearing it.
    const reply = await this.#ask(
      'Maintenance/Alarm',
      proto.encodeAlarmRequest(request),
      options,
      true,
    )
    return proto.decodeAlarmResponse(reply).alarms.map(({ memberId, alarm }) => {
      if (alarm === alarmNumbers.noSpace) return { memberId, alarm: 'noSpace' }
      if (alarm === alarmNumbers.corrupt) return { memberId, alarm: 'corrupt' }
      throw new KvError('MALFORMED', { message: `alarm ${alarm} is not known` })
    })
  }
}

function subjectOf({ prefix = '', user = '' }: Pick<KvQuota, 'prefix' | 'user'>): {
  prefix: Uint8Array
  user: string
} {
  return { prefix: bytesOf(prefix), user }
}
