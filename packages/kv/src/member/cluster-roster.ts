// Who the members are: raft says which ids, the log says names and URLs, and what it does not say yet the flags of the first start do.
import type { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { highestCommand } from './command.ts'
import { idText, parseIdText } from './identity.ts'
import type { LogGate } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import { encodeAttributes, type MemberAttributes } from './meta-rows.ts'
import type { KvStateMachine } from './state-machine.ts'
import { etcdVersion } from './version.ts'

const publishRetryMs = 500

export interface ClusterRosterOptions {
  readonly stateMachine: KvStateMachine
  readonly gate: LogGate
  readonly clock: MemberClock
  /** Peer URLs of the members that were known at the first start, by id. */
  readonly knownPeerUrls: ReadonlyMap<string, readonly string[]>
}

export class ClusterRoster {
  readonly #options: ClusterRosterOptions

  constructor(options: ClusterRosterOptions) {
    this.#options = options
  }

  /** In order of ids. A member that has not published anything has no name, as in etcd. */
  list(): MemberRecord[] {
    const { stateMachine, knownPeerUrls } = this.#options
    return memberIds(stateMachine).map((id) => {
      const known = stateMachine.cluster.members.get(id)
      return {
        id: parseIdText(id),
        name: known?.name ?? '',
        peerUrls: peerUrlsOf(stateMachine, knownPeerUrls, id),
        clientUrls: known?.clientUrls ?? [],
        isLearner: stateMachine.membership.learners.includes(id),
      }
    })
  }

  isLearner(id: bigint): boolean {
    return this.#options.stateMachine.membership.learners.includes(idText(id))
  }

  /** Undefined: no leader is known. */
  leaderPeerUrl(): string | undefined {
    const { leader } = this.#options.gate
    if (leader === 0n) return undefined
    const { stateMachine, knownPeerUrls } = this.#options
    return peerUrlsOf(stateMachine, knownPeerUrls, idText(leader))[0]
  }

  /** Tells the cluster a member's name and URLs; resolves when that is applied, tries until then or until the gate closes. */
  async publish(member: MemberAttributes): Promise<void> {
    const { stateMachine, gate, clock } = this.#options
    const said = { ...member, version: etcdVersion, commands: highestCommand }
    const body = encodeAttributes(said)
    const known = stateMachine.cluster.members.get(member.id)
    const { peerUrls } = known ?? member
    const wanted = encodeAttributes({ ...said, peerUrls })
    const isKnown = known !== undefined && Buffer.compare(encodeAttributes(known), wanted) === 0
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
}

/** Where the others are reached: the first URL of each. */
export function peersOf(
  stateMachine: KvStateMachine,
  knownPeerUrls: ReadonlyMap<string, readonly string[]>,
  ownId: string,
): Map<string, string> {
  const peers = new Map<string, string>()
  for (const id of memberIds(stateMachine)) {
    const [url] = peerUrlsOf(stateMachine, knownPeerUrls, id)
    if (id !== ownId && url !== undefined) peers.set(id, url)
  }
  return peers
}

function memberIds({ membership }: KvStateMachine): string[] {
  const { voters, votersOutgoing, learners } = membership
  return [...new Set([...voters, ...votersOutgoing, ...learners])].sort()
}

function peerUrlsOf(
  stateMachine: KvStateMachine,
  knownPeerUrls: ReadonlyMap<string, readonly string[]>,
  id: string,
): readonly string[] {
  const { peerUrls = [] } = stateMachine.cluster.members.get(id) ?? {}
  return peerUrls.length > 0 ? peerUrls : (knownPeerUrls.get(id) ?? [])
}
