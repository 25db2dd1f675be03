// Who the members are and how that changes, as the wires ask for it: requests are checked for their form, the leader does the rest.
import { KvError } from '../errors.ts'
import {
  decodeDowngradeRequest,
  decodeMemberAddRequest,
  decodeMemberIdRequest,
  decodeMemberUpdateRequest,
  decodeMoveLeaderRequest,
} from '../proto/index.ts'
import type {
  DowngradeResponse,
  MemberAddResponse,
  MemberListResponse,
  MemberRecord,
  ResponseHeader,
} from '../proto/messages.ts'
import { answer } from './answer.ts'
import type { ClusterApi } from './cluster-api.ts'
import { encodeClusterCommand } from './cluster-book.ts'
import {
  ClusterChanges,
  type ClusterChanged,
  type ClusterChangesOptions,
} from './cluster-changes.ts'
import type { ClusterChange, ClusterLink } from './cluster-link.ts'
import { ClusterVersion } from './cluster-version.ts'
import { CommandLevel } from './command-level.ts'
import { idText } from './identity.ts'
import { checkPeerUrls } from './peer-urls.ts'
import { kvErrorFromRaft } from './raft-failure.ts'
import type { Done } from './types.ts'

export interface ClusterServiceOptions extends ClusterChangesOptions {
  readonly link: ClusterLink
  readonly header: () => ResponseHeader
}

const retryMs = 50
/** etcd's limit for any request: 5 s and two elections. */
const requestTimeoutMs = 5000

export class ClusterService implements ClusterApi {
  readonly changes: ClusterChanges
  readonly #options: ClusterServiceOptions
  readonly #version: ClusterVersion
  readonly #commands: CommandLevel

  constructor(options: ClusterServiceOptions) {
    this.#options = options
    this.changes = new ClusterChanges(options)
    const members = (): readonly MemberRecord[] => this.members()
    const inTurn: ClusterChanges['inTurn'] = (work) => this.changes.inTurn(work)
    this.#commands = new CommandLevel({ ...options, members, inTurn })
    const onCheck = (): void => void this.#commands.check()
    this.#version = new ClusterVersion({ ...options, members, onCheck })
  }

  /** Settles what all members apply, as leader; resolves at once elsewhere. */
  settleCommands(): Promise<void> {
    return this.#commands.check()
  }

  isLearner(): boolean {
    return this.#options.roster.isLearner(this.#options.id)
  }

  members(): readonly MemberRecord[] {
    return this.#options.roster.list()
  }

  version(): string | undefined {
    return this.#version.text
  }

  add(body: Uint8Array, done: Done<MemberAddResponse>): void {
    const { peerUrls, isLearner } = decodeMemberAddRequest(body)
    const change: ClusterChange = { op: 'add', peerUrls: checkPeerUrls(peerUrls), isLearner }
    answer(done, this.#change(change), ({ added = 0n }) => {
      const { header, members } = this.#list()
      const nobody = { id: added, name: '', peerUrls: change.peerUrls, clientUrls: [], isLearner }
      return { header, member: members.find(({ id }) => id === added) ?? nobody, members }
    })
  }

  remove(body: Uint8Array, done: Done<MemberListResponse>): void {
    const { id } = decodeMemberIdRequest(body)
    answer(done, this.#change({ op: 'remove', id }), () => this.#list())
  }

  update(body: Uint8Array, done: Done<MemberListResponse>): void {
    const { id, peerUrls } = decodeMemberUpdateRequest(body)
    const change: ClusterChange = { op: 'update', id, peerUrls: checkPeerUrls(peerUrls) }
    answer(done, this.#change(change), () => this.#list())
  }

  promote(body: Uint8Array, done: Done<MemberListResponse>): void {
    const { id } = decodeMemberIdRequest(body)
    answer(done, this.#change({ op: 'promote', id }), () => this.#list())
  }

  moveLeader(body: Uint8Array, done: Done<undefined>): void {
    const { targetId } = decodeMoveLeaderRequest(body)
    answer(done, this.#moveLeader(targetId), () => undefined)
  }

  downgrade(body: Uint8Array, done: Done<DowngradeResponse>): void {
    const request = decodeDowngradeRequest(body)
    const { gate } = this.#options
    const reply = (): void => {
      done(undefined, { header: this.#header(), version: this.#version.text ?? '' })
    }
    gate.afterRead(done, () => {
      let target: string | undefined
      try {
        target = this.#version.downgradeTarget(request)
      } catch (reason) {
        done(KvError.from(reason), undefined)
        return
      }
      if (target === undefined) reply()
      else {
        gate.propose('cluster', encodeClusterCommand({ op: 'downgrade', target }), (error) =>
          error === undefined ? reply() : done(error, undefined),
        )
      }
    })
  }

  stop(): void {
    this.#version.stop()
  }

  /** The list itself, at once; its header tells no revision, as etcd's does not. */
  #list(): MemberListResponse {
    return { header: this.#header(), members: this.members() }
  }

  #header(): ResponseHeader {
    return { ...this.#options.header(), revision: 0 }
  }

  async #change(change: ClusterChange): Promise<ClusterChanged> {
    const { clock, gate, link, consensus, electionTimeoutMs } = this.#options
    const deadlineMs = clock.now() + requestTimeoutMs + 2 * electionTimeoutMs
    for (;;) {
      if (gate.isClosed) throw new KvError('STOPPED')
      try {
        if (consensus.status().role === 'leader') return await this.changes.run(change)
        const changed = await new Promise<ClusterChanged>((resolve, reject) => {
          link.change(change, (error, result) =>
            error === undefined ? resolve(result ?? {}) : reject(error),
          )
        })
        await this.#caughtUp()
        return changed
      } catch (reason) {
        const { code } = KvError.from(reason)
        const isLater = code === 'NOT_LEADER' || code === 'NO_LEADER'
        if (!isLater) throw reason
        if (clock.now() > deadlineMs) throw new KvError('TIMEOUT', { cause: reason })
      }
      await new Promise<void>((resolve) => void clock.setTimer(retryMs, resolve))
    }
  }

  /** What the leader did is seen here too, if that is possible: a member that removed itself sees nothing any more. */
  #caughtUp(): Promise<void> {
    const { gate, clock, electionTimeoutMs } = this.#options
    return new Promise((resolve) => {
      const cancel = clock.setTimer(electionTimeoutMs, resolve)
      const seen = (): void => {
        cancel()
        resolve()
      }
      gate.afterRead(seen, seen)
    })
  }

  async #moveLeader(targetId: bigint): Promise<void> {
    const { consensus } = this.#options
    const { role, membership } = consensus.status()
    if (role !== 'leader') throw new KvError('NOT_LEADER')
    const target = membership.voters.find((id) => id === idText(targetId))
    if (target === undefined) throw new KvError('BAD_TRANSFEREE')
    await transferred(consensus.transferLeadership(target))
  }
}

async function transferred(transfer: Promise<unknown>): Promise<void> {
  try {
    await transfer
  } catch (reason) {
    const error = kvErrorFromRaft(reason instanceof Error ? reason : new Error(String(reason)))
    throw error.code === 'TIMEOUT' ? new KvError('TIMEOUT_TRANSFER', { cause: reason }) : error
  }
}
