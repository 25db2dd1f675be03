// Members die and come back: at random, all at once, in the middle of a disk operation, and right after a message that matters.
import type { Message, NodeId } from '../../core/types.ts'
import type { SeededRandom } from '../random.ts'
import type { SimMember } from '../sim-member.ts'
import type { FaultContext } from './fault-context.ts'
import type { Partitions } from './partitions.ts'

/** A leader counts as new for this long. */
const youngLeaderMs = 300

export class Crashes {
  readonly #context: FaultContext
  readonly #partitions: Partitions
  readonly #random: SeededRandom
  readonly #electedAt = new Map<NodeId, number>()

  constructor(context: FaultContext, partitions: Partitions) {
    this.#context = context
    this.#partitions = partitions
    this.#random = context.fork()
    const { profile } = context
    context.repeat(this.#random, profile.crashEveryMs, () => {
      this.#stopOne()
    })
    context.repeat(this.#random, profile.diskCrashEveryMs, () => {
      this.#crashAtOperation()
    })
  }

  #stopOne(): void {
    const random = this.#random
    const { members } = this.#context
    const chosen = this.#anyTarget()
    // Now and then all at once: then only what is durable remains.
    const targets = random.chance(0.1) ? members : members.filter((member) => member === chosen)
    const dice = random.next()
    for (const member of targets) {
      if (!member.isUp) continue
      if (dice < 0.85) this.crash(member, dice < 0.6 ? 'power' : 'process')
      else this.close(member)
    }
  }

  #anyTarget(): SimMember | undefined {
    const context = this.#context
    return this.#random.chance(0.4) ? context.leader() : context.anyMember(this.#random)
  }

  /** The power fails in the middle of the n-th operation from now on. */
  #crashAtOperation(): void {
    const random = this.#random
    const member = this.#anyTarget()
    if (member === undefined) return
    const count = random.integer(1, random.pick([3, 10, 40]) ?? 10)
    member.crashAtOperation(count, () => {
      if (!this.#context.isRunning) return false
      this.#context.counts.diskOperationCrashes++
      this.crash(member, random.chance(0.8) ? 'power' : 'process')
      return true
    })
  }

  crash(member: SimMember, kind: 'power' | 'process'): void {
    const { counts, onFault } = this.#context
    if (kind === 'power') counts.powerFailures++
    else counts.kills++
    onFault(`${kind} failure of ${member.id}`)
    member.crash(kind)
    this.startLater(member)
  }

  /** A message has arrived: the worst moment to die is soon after. */
  delivered(message: Message): void {
    const rate = this.#ambushRate(message)
    if (rate > 0 && this.#random.chance(rate)) this.#ambush(message.to)
    if (message.type === 'readIndex') this.#maybeForgetQuestion(message.from)
  }

  /** Whoever asked dies, and may be back before the answer comes. */
  #maybeForgetQuestion(id: NodeId): void {
    const { profile, counts } = this.#context
    const member = this.#context.member(id)
    const rate = profile.readAmbushRate
    if (rate === 0 || !this.#random.chance(rate) || member?.isUp !== true) return
    counts.ambushes++
    this.crash(member, 'process')
  }

  #ambushRate({ type, to }: Message): number {
    const { profile, scheduler } = this.#context
    if (type === 'requestVote' || type === 'requestVoteResult') return profile.electionAmbushRate
    if (type === 'appendEntries') return profile.logAmbushRate
    if (type !== 'appendEntriesResult') return 0
    // The first answers that a new leader gets decide what becomes of the entries of older terms.
    const isYoung = scheduler.now - (this.#electedAt.get(to) ?? -Infinity) < youngLeaderMs
    return isYoung ? profile.youngLeaderAmbushRate : profile.logAmbushRate
  }

  /** A member has become leader: its log holds what no other has. */
  elected(id: NodeId): void {
    const { profile, scheduler } = this.#context
    this.#electedAt.set(id, scheduler.now)
    if (this.#random.chance(profile.leaderAmbushRate)) this.#ambush(id)
  }

  #ambush(id: NodeId): void {
    const random = this.#random
    const context = this.#context
    const member = context.member(id)
    const withinMs = random.pick([0, 1, 10, 50]) ?? 10
    const dice = random.next()
    context.later(random.next() * withinMs, () => {
      if (member?.isUp !== true) return
      context.counts.ambushes++
      // Long enough for the others to elect somebody else.
      const holdMs = context.profile.electionTimeoutMs * (1 + 4 * random.next())
      if (dice < 0.6) this.#partitions.cut(new Set([id]), holdMs)
      else this.crash(member, dice < 0.8 ? 'power' : 'process')
    })
  }

  close(member: SimMember): void {
    if (member.node === undefined) return
    this.#context.counts.closes++
    this.#context.onFault(`close of ${member.id}`)
    void this.#closeAndStart(member)
  }

  async #closeAndStart(member: SimMember): Promise<void> {
    await member.close()
    this.startLater(member)
  }

  /** It comes back with the newest version of the peer protocol. */
  upgrade(member: SimMember): void {
    this.#context.counts.upgrades++
    this.#context.onFault(`${member.id} is upgraded`)
    member.upgrade()
    if (member.isUp) this.crash(member, 'process')
  }

  /** A member has stopped by itself, because of its disk. */
  gaveUp(member: SimMember): void {
    this.#context.counts.stoppedByThemselves++
    this.startLater(member)
  }

  /** Whoever is down comes back, unless it has left the cluster. */
  startLater(member: SimMember): void {
    const { profile, scheduler, onFault } = this.#context
    scheduler.after(this.#random.next() * 2 * profile.downMs, () => {
      if (member.isUp || member.isRetired || member.isDead) return
      onFault(`start of ${member.id}`)
      member.start()
    })
  }
}
