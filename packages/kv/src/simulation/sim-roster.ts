// Members that come and go: now and then one is added, as a learner too, promoted or removed, by the leader's hand. Whoever was added gets a
// machine, whoever was removed loses it, once a leader says so; until then it may be either.
import type { SeededRandom } from '@balsa/raft/simulation'
import { idText } from '../member/identity.ts'
import type { MemberPlan } from '../member/member-options.ts'
import { encodeMemberAddRequest, encodeMemberIdRequest } from '../proto/index.ts'
import type { MemberRecord } from '../proto/messages.ts'
import type { Operator } from './operator.ts'
import type { SimMember } from './sim-member.ts'

/** Who starts, and in which cluster. */
export interface NewMember {
  readonly name: string
  readonly plan: Pick<MemberPlan, 'id' | 'clusterId' | 'voters' | 'peerUrlsById'>
}

export interface SimRosterOptions {
  readonly operator: Operator
  readonly random: SeededRandom
  readonly everyMs: number
  readonly members: readonly SimMember[]
  /** Makes and starts one more. */
  readonly start: (member: NewMember) => void
  readonly onNote: (text: string) => void
}

const votersMin = 2
const membersMax = 5
const firstNewName = 'p'.charCodeAt(0)

export class SimRoster {
  readonly #options: SimRosterOptions
  /** Ids that somebody was asked to remove. */
  readonly #leaving = new Set<bigint>()
  #names = 0
  #term = 0

  constructor(options: SimRosterOptions) {
    this.#options = options
    this.#later()
  }

  /** Its removal was asked for. */
  mayLeave(id: bigint): boolean {
    return this.#leaving.has(id)
  }

  /** Whoever is on somebody's list begins; who is not on that of the leader, if there is one whose word counts, is out. */
  follow(): SimMember | undefined {
    const { members, start } = this.#options
    for (const { core } of members) {
      const list = core?.cluster.members() ?? []
      for (const { id, peerUrls } of list) {
        if (core === undefined || members.some(({ memberId }) => memberId === id)) continue
        start({ name: nameOf(peerUrls), plan: planOf(id, core.clusterId, list) })
      }
    }
    const leader = this.#leader()
    if (leader?.core === undefined) return undefined
    const list = leader.core.cluster.members()
    for (const member of members) {
      const isListed = list.some(({ id }) => id === member.memberId)
      if (!member.isRetired && !isListed && this.mayLeave(member.memberId)) member.retire()
    }
    return leader
  }

  #later(): void {
    const { operator, everyMs } = this.#options
    operator.later(everyMs, () => {
      this.#act()
      this.#later()
    })
  }

  /** Of several that think so, the one with the highest term; one that is older than any before has nothing to say. */
  #leader(): SimMember | undefined {
    let leader: SimMember | undefined
    for (const member of this.#options.members) {
      const term = member.core?.header().raftTerm ?? 0
      if (!member.isLeading || term < this.#term) continue
      this.#term = term
      leader = member
    }
    return leader
  }

  #act(): void {
    const leader = this.follow()
    const core = leader?.core
    if (leader === undefined || core === undefined) return
    const { random, onNote } = this.#options
    const list = core.cluster.members()
    const learner = list.find(({ isLearner }) => isLearner)
    const voters = list.filter(({ isLearner }) => !isLearner)
    const dice = random.next()
    if (learner !== undefined && dice < 0.5) {
      onNote(`operator at ${leader.name}: promotes ${learner.name}`)
      leader.reach(() => core.cluster.promote(encodeMemberIdRequest({ id: learner.id }), ignore))
    } else if (voters.length > votersMin && (dice < 0.75 || list.length >= membersMax)) {
      const gone = random.pick(list)
      if (gone === undefined) return
      this.#leaving.add(gone.id)
      onNote(`operator at ${leader.name}: removes ${gone.name}`)
      leader.reach(() => core.cluster.remove(encodeMemberIdRequest({ id: gone.id }), ignore))
    } else if (list.length < membersMax) {
      const name = String.fromCharCode(firstNewName + this.#names++)
      const isLearner = random.chance(0.4)
      onNote(`operator at ${leader.name}: adds ${name}${isLearner ? ' to learn' : ''}`)
      const body = encodeMemberAddRequest({ peerUrls: [urlOf(name)], isLearner })
      leader.reach(() => core.cluster.add(body, ignore))
    }
  }
}

export function urlOf(name: string): string {
  return `http://${name}:2380`
}

function nameOf([url = '']: readonly string[]): string {
  return new URL(url).hostname
}

/** As a member that joins works it out: it is no voter of the log that it begins with. */
function planOf(id: bigint, clusterId: bigint, list: readonly MemberRecord[]): NewMember['plan'] {
  const voters = list.filter((member) => !member.isLearner && member.id !== id)
  return {
    id,
    clusterId,
    voters: voters.map((voter) => idText(voter.id)),
    peerUrlsById: new Map(list.map((member) => [idText(member.id), member.peerUrls])),
  }
}

/** What came of it, the list of the members says. */
function ignore(): void {}
