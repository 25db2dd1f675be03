// Clients that watch: each has one stream to some member, with a few watchers; it asks now and then how far it is, does not always read
// what it gets, moves to another member, and goes on where it was when its member dies.
import type { Scheduler, SeededRandom } from '@balsa/raft/simulation'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import type { WatchStream } from '../watch/types.ts'
import { watchName, WatchedHistory } from './checkers/watches.ts'
import type { CommittedHistory } from './committed-history.ts'
import { lostEventEvery } from './plants.ts'
import type { MemberProfile } from './profile.ts'
import type { Requests } from './requests.ts'
import type { SimMember } from './sim-member.ts'
import { viewOf } from './sim-users.ts'
import { Violation } from './violation.ts'

export interface WatchClientsOptions {
  readonly profile: MemberProfile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly members: readonly SimMember[]
  readonly history: CommittedHistory
  readonly requests: Requests
  /** Wires lose what they should carry. */
  readonly losesEvents: boolean
  /** Root watches. */
  readonly hasUsers: boolean
  /** Runs a check when everything that happened in this turn is known. */
  readonly check: (work: () => void) => void
  readonly onNote: (text: string) => void
}

const watchersMax = 3
const reopenMs = 50
const questionRate = 0.05
/** After that a full wire has room again. */
const fullMsMax = 400

interface OpenStream {
  readonly member: SimMember
  readonly life: number
  readonly stream: WatchStream
  /** Those that it has created, by id. */
  readonly watchers: Map<number, WatchedHistory>
  /** Those that it was asked to create, in order. */
  readonly asked: WatchedHistory[]
  isOver: boolean
}

export class WatchClients {
  readonly #options: WatchClientsOptions
  readonly #clients: WatchClient[]

  constructor(options: WatchClientsOptions) {
    this.#options = options
    this.#clients = Array.from(
      { length: options.profile.watchClientCount },
      (_, number) => new WatchClient(number, options),
    )
  }

  get events(): number {
    return this.#clients.reduce((sum, client) => sum + client.events, 0)
  }

  memberStopped(member: SimMember, life: number): void {
    for (const client of this.#clients) client.memberStopped(member, life)
  }

  /** One more that sees everything from `revision` on, at that member. */
  audit(member: SimMember, revision: number): void {
    const number = this.#clients.length
    this.#clients.push(new WatchClient(number, this.#options, { member, revision }))
  }

  /** Faults end: wires have room, and nobody moves any more. */
  settle(): void {
    for (const client of this.#clients) client.settle()
  }

  /** What some watcher has not heard of. */
  missing(): string | undefined {
    for (const client of this.#clients) {
      const missed = client.missing()
      if (missed !== undefined) return missed
    }
    return undefined
  }
}

class WatchClient {
  readonly #number: number
  readonly #options: WatchClientsOptions
  readonly #random: SeededRandom
  readonly #watchers: WatchedHistory[]
  readonly #home: SimMember | undefined
  #open: OpenStream | undefined
  /** Where it has asked for a stream. */
  #target: { readonly member: SimMember; readonly life: number } | undefined
  #isSettled = false
  /** Answers with events. */
  #carried = 0

  constructor(
    number: number,
    options: WatchClientsOptions,
    audit?: { readonly member: SimMember; readonly revision: number },
  ) {
    this.#number = number
    this.#options = options
    this.#random = options.random.fork()
    this.#home = audit?.member
    const count = audit === undefined ? this.#random.integer(1, watchersMax) : 1
    this.#watchers = Array.from({ length: count }, (_, i) => {
      const drawn = this.#drawRequest()
      const request =
        audit === undefined ? drawn : { ...drawn, ...everything, startRevision: audit.revision }
      const name = watchName(number * watchersMax + i, request)
      return new WatchedHistory(name, options.history, request)
    })
    // One that audits stays where it is and reads what it gets.
    this.#isSettled = audit !== undefined
    this.#openLater()
    if (!this.#isSettled) this.#actLater()
  }

  get events(): number {
    return this.#watchers.reduce((sum, { events }) => sum + events, 0)
  }

  memberStopped(member: SimMember, life: number): void {
    if (this.#target?.member === member && this.#target.life === life) this.#leave(false)
  }

  settle(): void {
    this.#isSettled = true
    const open = this.#open
    open?.member.reach(() => open.stream.resume())
  }

  missing(): string | undefined {
    for (const watcher of this.#watchers) {
      const missed = watcher.missing()
      if (missed !== undefined) return missed
    }
    return undefined
  }

  #drawRequest(): WatchCreateRequest {
    const random = this.#random
    const filters = random.pick([[], [], [], [0], [1]]) ?? []
    return {
      ...this.#options.requests.watched(),
      startRevision: this.#options.requests.watchStart(),
      progressNotify: random.chance(0.5),
      filters,
      prevKv: random.chance(0.4),
      watchId: 0,
      fragment: random.chance(0.2),
    }
  }

  #openLater(): void {
    const { scheduler } = this.#options
    scheduler.after(this.#random.next() * reopenMs, () => this.#openStream())
  }

  #openStream(): void {
    const { members, onNote, hasUsers } = this.#options
    const up = members.filter((member) => member.api !== undefined)
    const member = this.#home ?? this.#random.pick(up)
    const api = member?.api
    if (member?.life === undefined || api === undefined) {
      this.#openLater()
      return
    }
    const asked = [...this.#watchers]
    const { life } = member
    onNote(`watcher ${this.#number} opens at ${member.name}`)
    const target = { member, life }
    this.#target = target
    member.reach(() => {
      if (this.#target !== target) return
      const view = viewOf(api, hasUsers ? 'root' : undefined)
      const stream = view.openWatchStream({ send: (response) => this.#send(open, response) })
      const open: OpenStream = { member, life, stream, watchers: new Map(), asked, isOver: false }
      this.#open = open
      for (const watcher of this.#watchers) stream.create(watcher.request)
    })
  }

  /** The wire: it takes the answer, and may be full then. */
  #send(open: OpenStream, response: WatchResponse): boolean {
    if (open.isOver || this.#isLost(response)) return true
    this.#options.check(() => {
      if (!open.isOver) this.#receive(open, response)
    })
    // A client in the same process may ask from within the answer.
    if (this.#random.chance(questionRate)) open.stream.requestProgress()
    if (this.#isSettled || !this.#random.chance(this.#options.profile.fullWireRate)) return true
    this.#options.scheduler.after(this.#random.next() * fullMsMax, () => {
      open.member.reach(() => open.stream.resume())
    })
    return false
  }

  #isLost({ events }: WatchResponse): boolean {
    if (!this.#options.losesEvents || events.length === 0) return false
    return ++this.#carried % lostEventEvery === 0
  }

  #receive(open: OpenStream, response: WatchResponse): void {
    const { watchId, created, canceled, compactRevision, header, events } = response
    this.#options.onNote(
      `watcher ${this.#number} hears ${watchId} ${header.revision} ${events.length} events${created ? ', created' : ''}${canceled ? `, canceled ${compactRevision}` : ''}`,
    )
    if (created) {
      const watcher = open.asked.shift()
      if (canceled || watcher === undefined)
        throw wrong(`was not created: ${response.cancelReason}`)
      open.watchers.set(watchId, watcher)
      watcher.created(response)
      return
    }
    if (watchId === -1) {
      for (const watcher of open.watchers.values()) watcher.bookmark(header.revision)
      return
    }
    const watcher = open.watchers.get(watchId)
    if (watcher === undefined) throw wrong(`hears of watcher ${watchId}, which is not there`)
    if (!canceled) {
      watcher.heard(response)
      return
    }
    open.watchers.delete(watchId)
    watcher.compacted(compactRevision)
    open.asked.push(watcher)
    open.member.reach(() => open.stream.create(watcher.request))
  }

  #actLater(): void {
    const { scheduler, profile } = this.#options
    scheduler.after(this.#random.next() * 2 * profile.watchMoveEveryMs, () => {
      if (this.#isSettled) return
      this.#act()
      this.#actLater()
    })
  }

  #act(): void {
    const open = this.#open
    if (open === undefined) return
    if (this.#random.chance(0.3)) this.#leave(true)
    else open.member.reach(() => open.stream.requestProgress())
  }

  #leave(isOrderly: boolean): void {
    const open = this.#open
    this.#open = undefined
    this.#target = undefined
    if (open !== undefined) {
      open.isOver = true
      if (isOrderly) open.member.reach(() => open.stream.close())
    }
    this.#openLater()
  }
}

const everything = {
  key: Buffer.from([0]),
  rangeEnd: Buffer.from([0]),
  filters: [],
  prevKv: true,
  fragment: false,
} as const

function wrong(what: string): Violation {
  return new Violation('watches', `a watcher ${what}`)
}
