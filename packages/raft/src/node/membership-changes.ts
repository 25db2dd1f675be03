// Changes of the membership as a user asks for them: from any set to any other, step by step, until the one that was asked for is in force.
// The core decides what the next step is; here is who waits, why it is refused, and which peers can be reached meanwhile.
import { isJoint, isMembershipValid, isSameMembership, keepsKinds } from '../core/membership.ts'
import type { Core, Membership, NodeId, ProposeOutcome } from '../core/types.ts'
import { RaftError, type RaftErrorCode } from '../errors.ts'
import type { MemberLoop } from './member-loop.ts'
import type { Waiters } from './waiters.ts'

export interface MembershipChangesOptions<Result> {
  readonly core: Core
  readonly loop: MemberLoop<Result>
  readonly waiters: Waiters
  readonly peers: ReadonlyMap<NodeId, string>
  readonly setPeers: (peers: ReadonlyMap<NodeId, string>) => void
  /** In force on this member. */
  readonly membership: () => Membership
}

interface Change {
  readonly target: Membership
  isReached: boolean
  /** Whether this member still leads as it did when it began; else a newer leader may have been asked for another one. */
  isOwn: boolean
}

type Refusal = Exclude<ProposeOutcome, { readonly accepted: true }>['reason']

const refusals: Record<Refusal, readonly [RaftErrorCode, string]> = {
  noLeader: ['NOT_LEADER', 'this member does not lead'],
  notMember: ['NOT_LEADER', 'this member is not part of the cluster'],
  transferring: ['TRANSFERRING', 'the lead is being handed over'],
  overloaded: ['OVERLOADED', 'too much waits to be committed'],
  changePending: ['CHANGE_PENDING', 'another change is under way, or may be'],
  leaderLeaves: ['INVALID_MEMBERSHIP', 'with witnesses a leader cannot remove itself: transfer it'],
  kindChanges: ['INVALID_MEMBERSHIP', 'a member cannot become a witness, nor cease to be one'],
}

export class MembershipChanges<Result> {
  readonly #options: MembershipChangesOptions<Result>
  #peers: ReadonlyMap<NodeId, string>
  #change: Change | undefined

  constructor(options: MembershipChangesOptions<Result>) {
    this.#options = options
    this.#peers = options.peers
  }

  /** Resolves when `target` is in force here. */
  async run(
    target: Membership,
    peers: ReadonlyMap<NodeId, string>,
    deadline: number,
  ): Promise<void> {
    checkTarget(target, this.#options.membership())
    if (this.#change !== undefined) throw refused('changePending')
    if (!isSameMembership(this.#options.membership(), target))
      await this.#run(target, deadline, peers)
    this.#setPeers(peers)
  }

  async #run(
    target: Membership,
    deadline: number,
    peers: ReadonlyMap<NodeId, string>,
  ): Promise<void> {
    const { core, loop, waiters } = this.#options
    const outcome = core.proposeMembership(target)
    if (!outcome.accepted) throw refused(outcome.reason)
    const change: Change = { target, isReached: false, isOwn: true }
    this.#change = change
    // Those who leave are needed until they are out.
    this.#setPeers(new Map([...this.#peers, ...peers]))
    loop.wake()
    try {
      const text = 'The change of membership was not applied in time: it may still come'
      await waiters.add(() => change.isReached, deadline, new RaftError('TIMEOUT', text))
    } finally {
      this.#change = undefined
    }
  }

  /** This one is in force from now on. */
  applied(membership: Membership): void {
    const change = this.#change
    if (change !== undefined) change.isReached ||= isSameMembership(membership, change.target)
  }

  leaderChanged(): void {
    if (this.#change !== undefined) this.#change.isOwn = false
  }

  /** Goes on if a step has been taken and the leader has no more to do by itself. */
  advance(): void {
    const change = this.#change
    if (change === undefined || change.isReached || !change.isOwn) return
    if (isJoint(this.#options.membership())) return
    // Refused while the last step is not applied.
    const { accepted } = this.#options.core.proposeMembership(change.target)
    if (accepted) this.#options.loop.wake()
  }

  #setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#peers = peers
    this.#options.setPeers(peers)
  }
}

function checkTarget(target: Membership, current: Membership): void {
  if (isJoint(target)) {
    const text = 'A joint configuration is a step and no aim: leave votersOutgoing empty'
    throw new RaftError('INVALID_MEMBERSHIP', text)
  }
  if (isMembershipValid(target)) {
    if (keepsKinds(current, target)) return
    const text =
      'A witness stays one, and another member becomes none: remove it first, and let it come back with an empty folder'
    throw new RaftError('INVALID_MEMBERSHIP', text)
  }
  const text =
    'A membership has one voter at least, 64 ids of each kind at most, no id twice and none that is both voter and learner; an id is 1 to 64 characters of printable ASCII'
  throw new RaftError('INVALID_MEMBERSHIP', text)
}

function refused(reason: Refusal): RaftError {
  const [code, text] = refusals[reason]
  return new RaftError(code, `The membership cannot be changed now: ${text}`)
}
