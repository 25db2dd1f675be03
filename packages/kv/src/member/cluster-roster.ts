// Who the members are: raft says which ids, each member says its name and URLs through the log.
import type { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { idText, parseIdText } from './identity.ts'
import type { LogGate } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import { encodeAttributes, type MemberAttributes } from './meta-rows.ts'
import type { KvStateMachine } from './state-machine.ts'

const publishRetryMs = 500

export interface ClusterRosterOptions {
  readonly stateMachine: KvStateMachine
  readonly gate: LogGate
  readonly clock: MemberClock
  /** Peer URLs of the cluster's first members by id, until they publish their own. */
  readonly knownPeerUrls: ReadonlyMap<string, readonly string[]>
}

export class ClusterRoster {
  readonly #options: ClusterRosterOptions

  constructor(options: ClusterRosterOptions) {
    this.#options = options
  }

  /** A member that has not published anything has no name, as in etcd. */
  list(): MemberRecord[] {
    const { voters, votersOutgoing, learners } = this.#options.stateMachine.membership
    const ids = new Set([...voters, ...votersOutgoing, ...learners])
    return [...ids].sort().map((id) => {
      const published = this.#options.stateMachine.members.get(id)
      return {
        id: parseIdText(id),
        name: published?.name ?? '',
        peerUrls: this.#peerUrls(id),
        clientUrls: published?.clientUrls ?? [],
        isLearner: learners.includes(id),
      }
    })
  }

  isLearner(id: bigint): boolean {
    return this.#options.stateMachine.membership.learners.includes(idText(id))
  }

  /** Undefined: no leader is known. */
  leaderPeerUrl(): string | undefined {
    const { leader } = this.#options.gate
    return leader === 0n ? undefined : this.#peerUrls(idText(leader))[0]
  }

  /** Tells the cluster a member's name and URLs; resolves when that is applied, tries until then or until the gate closes. */
  async publish(attributes: MemberAttributes): Promise<void> {
    const { stateMachine, gate, clock } = this.#options
    const body = encodeAttributes(attributes)
    const known = stateMachine.members.get(attributes.id)
    const isKnown = known !== undefined && Buffer.compare(encodeAttributes(known), body) === 0
    while (!gate.isClosed) {
      const error = await new Promise<KvError | undefined>((resolve) => {
        // A member whose words stand already only waits until it is part of a working cluster.
        if (isKnown) gate.afterRead(resolve, () => resolve(undefined))
        else gate.propose('publish', body, resolve)
      })
      if (error === undefined || gate.isClosed) return
      await new Promise<void>((resolve) => void clock.setTimer(publishRetryMs, resolve))
    }
  }

  #peerUrls(id: string): readonly string[] {
    const { stateMachine, knownPeerUrls } = this.#options
    return stateMachine.members.get(id)?.peerUrls ?? knownPeerUrls.get(id) ?? []
  }
}
