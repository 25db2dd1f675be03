// The members of a cluster, as a program manages them.
import {
  decodeMemberAddResponse,
  decodeMemberListResponse,
  encodeMemberAddRequest,
  encodeMemberIdRequest,
  encodeMemberListRequest,
  encodeMemberUpdateRequest,
  encodeMoveLeaderRequest,
} from '../proto/index.ts'
import type { MemberAddResponse, MemberListResponse } from '../proto/messages.ts'
import { Caller } from './caller.ts'
import type { CallerOptions } from './caller.ts'
import type { Wire } from './wire.ts'

/** Calls reject with KvError. None is repeated that may have been applied. */
export class ClusterClient implements AsyncDisposable {
  readonly #wire: Wire
  readonly #caller: Caller

  constructor(wire: Wire, options: CallerOptions) {
    this.#wire = wire
    this.#caller = new Caller(wire, options)
  }

  /** Whether linearizable or not, servers before etcd 3.5 answer what they know themselves. */
  async list(): Promise<MemberListResponse> {
    const body = encodeMemberListRequest({ linearizable: true })
    return decodeMemberListResponse(await this.#caller.call('safe', 'Cluster/MemberList', body))
  }

  /** It is part of the cluster from then on, whether it runs or not. */
  async add(peerUrls: readonly string[], isLearner: boolean): Promise<MemberAddResponse> {
    const body = encodeMemberAddRequest({ peerUrls, isLearner })
    return decodeMemberAddResponse(await this.#caller.call('write', 'Cluster/MemberAdd', body))
  }

  /** It stops, and its data is of no use any more. */
  remove(id: bigint): Promise<MemberListResponse> {
    return this.#change('Cluster/MemberRemove', encodeMemberIdRequest({ id }))
  }

  update(id: bigint, peerUrls: readonly string[]): Promise<MemberListResponse> {
    return this.#change('Cluster/MemberUpdate', encodeMemberUpdateRequest({ id, peerUrls }))
  }

  /** Makes a voter of a learner that has caught up. */
  promote(id: bigint): Promise<MemberListResponse> {
    return this.#change('Cluster/MemberPromote', encodeMemberIdRequest({ id }))
  }

  /** `endpoint` is the leader's. */
  async moveLeader(targetId: bigint, endpoint: string): Promise<void> {
    const body = encodeMoveLeaderRequest({ targetId })
    await this.#caller.call('write', 'Maintenance/MoveLeader', body, { endpoint })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#caller.close()
    await this.#wire.close()
  }

  async #change(
    method: 'Cluster/MemberRemove' | 'Cluster/MemberUpdate' | 'Cluster/MemberPromote',
    body: Uint8Array,
  ): Promise<MemberListResponse> {
    return decodeMemberListResponse(await this.#caller.call('write', method, body))
  }
}
