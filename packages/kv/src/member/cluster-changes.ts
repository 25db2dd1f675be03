// The leader's side of changes of the cluster: etcd's checks, then the log. One change at a time; what is checked here stays true until
// the change is in the log, since whoever lost the lead meanwhile proposes nothing any more.
import type { Membership, NodeId } from '@balsa/raft/types'
import { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { encodeClusterCommand, type ClusterCommand } from './cluster-book.ts'
import type { ClusterChange } from './cluster-link.ts'
import type { ClusterRoster } from './cluster-roster.ts'
import type { Consensus } from './consensus.ts'
import { idText, memberIdOf } from './identity.ts'
import type { LogGate } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import type { MemberRandom } from './member-random.ts'
import { kvErrorFromRaft } from './raft-failure.ts'
import { strictAddRefusal, strictPromoteRefusal, strictRemoveRefusal } from './reconfiguration.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'

export interface ClusterChangesOptions {
  readonly id: bigint
  readonly consensus: Consensus<CommandResult>
  readonly stateMachine: KvStateMachine
  readonly gate: LogGate
  readonly roster: ClusterRoster
  readonly clock: MemberClock
  readonly random: MemberRandom
  readonly electionTimeoutMs: number
  readonly rules: ClusterRules
  readonly isReachable: boolean
  /** Since when a peer is connected; undefined: it is not. */
  readonly connectedSinceMs: (id: string) => number | undefined
}

export interface ClusterRules {
  /** Refuses what would leave the cluster without a quorum of members that run. */
  readonly strictReconfigCheck: boolean
  readonly learnersMax: number
  /** New learners become voters by themselves once they have caught up. */
  readonly learnerAutoPromote: boolean
}

/** `added` after an `add`; `version` after a `downgrade`. */
export interface ClusterChanged {
  readonly added?: bigint
  readonly version?: string
}

const retryMs = 50
/** Of a leader's log that a learner must have. */
const readyShare = 0.9
/** Changes that wait for their turn. */
const waitingMax = 100

export class ClusterChanges {
  readonly #options: ClusterChangesOptions
  /** The change before is over. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(options: ClusterChangesOptions) {
    this.#options = options
  }

  /** Rejects with a KvError; NOT_LEADER means that nothing was changed and another member should be asked. */
  async run(change: ClusterChange): Promise<ClusterChanged> {
    try {
      return await this.inTurn(() => this.#run(change))
    } catch (reason) {
      throw reason instanceof Error ? kvErrorFromRaft(reason) : KvError.from(reason)
    }
  }

  /** Runs when the changes before are over, and no other meanwhile. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= waitingMax) throw new KvError('TOO_MANY_REQUESTS')
    this.#waiting++
    const before = this.#last
    let over: () => void = () => undefined
    this.#last = new Promise((resolve) => (over = resolve))
    await before
    try {
      return await work()
    } finally {
      this.#waiting--
      over()
    }
  }

  #run(change: ClusterChange): Promise<ClusterChanged> {
    const { role } = this.#options.consensus.status()
    if (role !== 'leader') throw new KvError('NOT_LEADER')
    if (change.op === 'add') return this.#add(change.peerUrls, change.isLearner)
    if (change.op === 'remove') return this.#remove(change.id)
    if (change.op === 'update') return this.#update(change.id, change.peerUrls)
    return this.#promote(change.id)
  }

  async #add(peerUrls: readonly string[], isLearner: boolean): Promise<ClusterChanged> {
    const { random, rules, roster, isReachable } = this.#options
    const members = roster.list()
    // Without a peer port nobody could join, and the cluster would wait for him for ever.
    if (!isReachable) throw new KvError('UNHEALTHY')
    if (rules.strictReconfigCheck) this.#refuse(strictAddRefusal(this.#health(), isLearner))
    // etcd adds the time for the same reason: the same URLs may come again, and must not be the removed member.
    const salt = Buffer.from(random.bytes(8)).readBigUInt64BE(0)
    const added = memberIdOf(peerUrls, String(salt))
    if (members.some(({ id }) => id === added)) throw new KvError('MEMBER_EXISTS')
    mustBeNew(peerUrls, members)
    const learners = members.filter((member) => member.isLearner).length
    if (isLearner && learners >= rules.learnersMax) throw new KvError('TOO_MANY_LEARNERS')
    const id = idText(added) as NodeId
    await this.#tell({ op: 'add', id, peerUrls })
    await this.#change((now) => {
      if (!isLearner) return { ...now, voters: [...now.voters, id] }
      const { promoting = [], learners } = now
      const more = rules.learnerAutoPromote ? { promoting: [...promoting, id] } : {}
      return { ...now, learners: [...learners, id], ...more }
    })
    return { added }
  }

  async #remove(id: bigint): Promise<ClusterChanged> {
    const { rules, consensus } = this.#options
    const { isLearner } = this.#member(id)
    if (rules.strictReconfigCheck && !isLearner) {
      this.#refuse(strictRemoveRefusal(this.#health(), id))
    }
    const { membership } = consensus.status()
    if (id === this.#options.id && membership.voters.length > 1) {
      // Whoever leads then removes this one, and nobody waits for an election.
      await consensus.transferLeadership()
      throw new KvError('NOT_LEADER')
    }
    const isOther = (other: string): boolean => other !== idText(id)
    await this.#change((now) => ({
      ...now,
      voters: now.voters.filter(isOther),
      learners: now.learners.filter(isOther),
      ...(now.promoting === undefined ? {} : { promoting: now.promoting.filter(isOther) }),
    }))
    try {
      await this.#tell({ op: 'remove', id: idText(id) })
    } catch (reason) {
      // It is out by the membership, which alone decides; a name that is left behind is seen by nobody.
      if (!(reason instanceof KvError)) throw reason
    }
    return {}
  }

  async #update(id: bigint, peerUrls: readonly string[]): Promise<ClusterChanged> {
    this.#member(id)
    const others = this.#options.roster.list().filter((member) => member.id !== id)
    mustBeNew(peerUrls, others)
    await this.#tell({ op: 'update', id: idText(id), peerUrls })
    return {}
  }

  async #promote(id: bigint): Promise<ClusterChanged> {
    const { rules, consensus } = this.#options
    const { isLearner } = this.#member(id)
    if (!isLearner) throw new KvError('MEMBER_NOT_LEARNER')
    const { progress, persistedIndex } = consensus.status()
    const match = progress.find((peer) => peer.id === idText(id))?.matchIndex ?? 0
    if (match < persistedIndex * readyShare) throw new KvError('LEARNER_NOT_READY')
    if (rules.strictReconfigCheck) this.#refuse(strictPromoteRefusal(this.#health()))
    const promoted = idText(id) as NodeId
    const isOther = (other: string): boolean => other !== promoted
    await this.#change((now) => ({
      ...now,
      voters: [...now.voters, promoted],
      learners: now.learners.filter(isOther),
      ...(now.promoting === undefined ? {} : { promoting: now.promoting.filter(isOther) }),
    }))
    return {}
  }

  #member(id: bigint): MemberRecord {
    const member = this.#options.roster.list().find((one) => one.id === id)
    if (member === undefined) throw new KvError('MEMBER_NOT_FOUND')
    return member
  }

  #health(): Parameters<typeof strictAddRefusal>[0] {
    const { roster, id, clock, connectedSinceMs } = this.#options
    return { members: roster.list(), ownId: id, nowMs: clock.now(), connectedSinceMs }
  }

  #refuse(refusal: KvError | undefined): void {
    if (refusal !== undefined) throw refusal
  }

  async #tell(command: ClusterCommand): Promise<void> {
    const { gate, consensus } = this.#options
    const { term } = consensus.status()
    await new Promise<void>((resolve, reject) => {
      gate.propose('cluster', encodeClusterCommand(command), (error) =>
        error === undefined ? resolve() : reject(error),
      )
    })
    // A newer leader may have begun a change of its own.
    const now = consensus.status()
    if (now.role !== 'leader' || now.term !== term) throw new KvError('NOT_LEADER')
  }

  /** Waits for what else is under way, as a learner that becomes a voter by itself. */
  async #change(next: (now: Membership) => Membership): Promise<void> {
    const { consensus, clock, electionTimeoutMs } = this.#options
    const deadlineMs = clock.now() + 5 * electionTimeoutMs
    for (;;) {
      try {
        await consensus.changeMembership(next(consensus.status().membership), new Map())
        return
      } catch (reason) {
        const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
        if (code !== 'CHANGE_PENDING' || clock.now() > deadlineMs) throw reason
      }
      await new Promise<void>((resolve) => void clock.setTimer(retryMs, resolve))
    }
  }
}

function mustBeNew(peerUrls: readonly string[], members: readonly MemberRecord[]): void {
  const isKnown = members.some((member) => member.peerUrls.some((url) => peerUrls.includes(url)))
  if (isKnown) throw new KvError('PEER_URL_EXISTS')
}
