// The members, disks and wire that a transcript's commands act on. Nothing happens by itself: a command ticks, takes a Ready, delivers a
// message or finishes a write, and what follows from it is written down.
import { AssertionError } from '../assert.ts'
import type { Message, NodeId, RaftConfig, Ready, RestoredState, Role } from '../types.ts'
import { bytes, config, nodeId, TestMember } from './test-cluster.ts'
import { formatEntry, formatMembership, MessageFormat } from './transcript-format.ts'

interface Seen {
  readonly role: Role
  readonly leader: NodeId | undefined
  readonly term: number
  readonly membership: string
}

export interface WorldMember {
  readonly member: TestMember
  /** Draws of this member's randomness; sets its election timeout. */
  random: number
  isUp: boolean
  seen: Seen
}

/** Which messages on the wire a command means. */
export interface MessageFilter {
  readonly from?: string
  readonly to?: string
  readonly type?: string
  readonly count?: number
  /** Counts from the newest. */
  readonly isLast?: boolean
}

const settleRoundsMax = 1000

export class TranscriptWorld {
  readonly members = new Map<string, WorldMember>()
  readonly wire: Message[] = []
  readonly #cut = new Set<string>()
  readonly #format = new MessageFormat()
  #lines: string[] = []
  /** Of all members alike. */
  monotonicMs = 0
  wallMs = 0

  /** What was written down since the last call. */
  takeLines(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  say(line: string): void {
    this.#lines.push(line)
  }

  add(name: string, change: Partial<RaftConfig>, restored: RestoredState, random: number): void {
    const draws = { random }
    const memberConfig = config(name, { random: () => draws.random, ...change })
    const member = new TestMember(memberConfig, restored)
    const world: WorldMember = {
      member,
      isUp: true,
      seen: seenOf(member),
      get random() {
        return draws.random
      },
      set random(value) {
        draws.random = value
      },
    }
    this.members.set(name, world)
  }

  at(name: string): WorldMember {
    const found = this.members.get(name)
    if (found === undefined) throw new Error(`No member ${name}`)
    return found
  }

  up(name: string): WorldMember {
    const found = this.at(name)
    if (!found.isUp) throw new Error(`${name} is down`)
    return found
  }

  /** Runs an input of a member; a failed assertion stops the member, as it would the process. */
  act(name: string, input: (member: TestMember) => void): void {
    const of = this.up(name)
    try {
      input(of.member)
      of.member.core.verify()
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error
      of.isUp = false
      this.say(`${name} stops: ${error.message}`)
    }
    this.#note(name)
  }

  /** Writes down a new role, term, leader or membership. */
  #note(name: string): void {
    const of = this.at(name)
    const now = seenOf(of.member)
    const before = of.seen
    of.seen = now
    if (now.role !== before.role || now.term !== before.term || now.leader !== before.leader) {
      const leader = now.role === 'follower' ? ` of ${now.leader ?? 'nobody'}` : ''
      this.say(`${name} is ${now.role}${leader}, term ${now.term}`)
    }
    if (now.membership !== before.membership) this.say(`${name} has ${now.membership}`)
  }

  /** Takes one Ready. Without a held disk it is durable at once. Returns false if there was none. */
  takeReady(name: string): boolean {
    if (!this.up(name).member.core.hasReady()) return false
    this.act(name, (member) => {
      const ready = member.take()
      this.#sayReady(name, ready, member.autoPersist)
      this.wire.push(...ready.send)
      if (member.autoPersist) this.wire.push(...member.persistAll())
    })
    return true
  }

  #sayReady(name: string, ready: Ready, isPersisted: boolean): void {
    const isPending = !isPersisted && (ready.persist ?? ready.sendAfterPersist[0]) !== undefined
    this.say(`${name} ready${isPending ? ', waits for the disk' : ''}`)
    for (const line of this.#format.ready(ready)) this.say(`  ${line}`)
  }

  persist(name: string, count: number): void {
    this.act(name, (member) => {
      const readys = member.pending.slice(0, count)
      const messages = member.persistAll(count)
      const entries = readys.flatMap((ready) => ready.persist?.entries ?? [])
      this.say(`${name} persisted ${entries.map(formatEntry).join(', ')}`.trimEnd())
      for (const message of messages) this.say(`  ${this.#format.message(message)}`)
      this.wire.push(...messages)
    })
  }

  cut(links: readonly string[]): void {
    for (const link of links) this.#cut.add(link)
  }

  /** What was sent over a cut link is gone. */
  heal(): void {
    this.#remove((message) => this.#cut.has(`${message.from}>${message.to}`))
    this.#cut.clear()
  }

  #remove(isGone: (message: Message) => boolean): void {
    this.wire.splice(0, this.wire.length, ...this.wire.filter((message) => !isGone(message)))
  }

  /** Takes the messages that `filter` means off the wire, in order. */
  #pull(filter: MessageFilter): Message[] {
    const fits = (message: Message): boolean =>
      (filter.from ?? message.from) === message.from &&
      (filter.to ?? message.to) === message.to &&
      (filter.type ?? message.type) === message.type
    const all = this.wire.filter(fits)
    const { count = all.length } = filter
    const chosen = filter.isLast === true ? all.slice(-count) : all.slice(0, count)
    const set = new Set(chosen)
    this.#remove((message) => set.has(message))
    return chosen
  }

  deliver(filter: MessageFilter, isShown: boolean): void {
    for (const message of this.#pull(filter)) {
      const isLost =
        this.#cut.has(`${message.from}>${message.to}`) ||
        this.members.get(message.to)?.isUp !== true
      if (isLost) this.say(`lost ${this.#format.message(message)}`)
      else if (isShown) this.say(this.#format.message(message))
      if (!isLost) this.act(message.to, (member) => member.core.step(message))
    }
  }

  drop(filter: MessageFilter): void {
    for (const message of this.#pull(filter)) this.say(`dropped ${this.#format.message(message)}`)
  }

  /** The network repeats these messages: the copies come last. */
  repeat(filter: MessageFilter): void {
    const chosen = this.#pull(filter)
    this.wire.unshift(...chosen)
    this.wire.push(...chosen.map((message) => ({ ...message })))
    for (const message of chosen) this.say(`repeated ${this.#format.message(message)}`)
  }

  /** Readys are taken and messages to `names` delivered until there is nothing left to do. */
  settle(names: readonly string[]): void {
    for (let round = 0; round < settleRoundsMax; round++) {
      let isQuiet = true
      for (const name of names) {
        while (this.at(name).isUp && this.takeReady(name)) isQuiet = false
      }
      for (const name of names) {
        if (!this.wire.some((message) => message.to === name)) continue
        isQuiet = false
        this.deliver({ to: name }, false)
      }
      if (isQuiet) return
    }
    throw new Error('The members do not come to rest')
  }

  propose(name: string, payloads: readonly string[]): void {
    this.act(name, (member) => {
      const outcome = member.core.propose(payloads.map(bytes))
      this.say(outcome.accepted ? `accepted in term ${outcome.term}` : `refused: ${outcome.reason}`)
    })
  }

  crash(name: string): void {
    this.up(name).isUp = false
  }

  restart(name: string): void {
    const of = this.at(name)
    this.#remove((message) => message.to === name)
    of.member.crash()
    of.isUp = true
    this.#note(name)
  }

  id(name: string): NodeId {
    return nodeId(name)
  }
}

function seenOf(member: TestMember): Seen {
  const { role, leader, term, membership } = member.core.status()
  return { role, leader, term, membership: formatMembership(membership) }
}
