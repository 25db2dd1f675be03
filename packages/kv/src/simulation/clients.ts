// Clients that ask: each asks any member for something, waits for the answer, thinks, and goes on. One that gets no answer in its time, or
// whose member dies, never learns what became of its request.
import type { Scheduler, SeededRandom } from '@balsa/raft/simulation'
import type { KvError } from '../errors.ts'
import type { Done, MemberApi } from '../member/types.ts'
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodeLeaseGrantRequest,
  encodeLeaseRevokeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from '../proto/index.ts'
import { describeRequest, type Answer, type Answers, type Call } from './calls.ts'
import type { Checkers } from './checkers/checkers.ts'
import type { MemberProfile } from './profile.ts'
import type { KvRequest, Requests } from './requests.ts'
import type { SimMember } from './sim-member.ts'
import { viewOf, type UserName } from './sim-users.ts'

export interface ClientsOptions {
  readonly profile: MemberProfile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly members: readonly SimMember[]
  readonly requests: Requests
  readonly checkers: Checkers
  /** Draws who asks; undefined: there are no users. */
  readonly users: (() => UserName | undefined) | undefined
  /** Runs a check when everything that happened in this turn is known. */
  readonly check: (work: () => void) => void
  readonly onNote: (text: string) => void
}

/** After that a client goes on; the answer, if it comes, still counts. */
const patienceMs = [500, 2_000]
/** Of those that no client of the run sends. */
const nobody = -1

/** Called once, whatever comes of it; `heard` undefined: nothing ever will. */
export type CallDone = (isAnswered: boolean, heard?: Answer | KvError) => void

interface OpenCall {
  readonly call: Call
  readonly done: CallDone
}

export class Clients {
  readonly #options: ClientsOptions
  readonly #open = new Map<number, OpenCall>()
  #isRunning = true
  #numbers = 0
  answered = 0
  refused = 0

  constructor(options: ClientsOptions) {
    this.#options = options
    for (let client = 0; client < options.profile.clientCount; client++) this.#think(client)
  }

  get asked(): number {
    return this.#numbers
  }

  stop(): void {
    this.#isRunning = false
  }

  /** A call that a member, alive ever since, has never answered. */
  unanswered(): string | undefined {
    for (const { call } of this.#open.values()) {
      return `request ${call.number} (${call.request.type}) at ${call.member} has no answer`
    }
    return undefined
  }

  /** Its clients notice that the line is dead. */
  memberStopped(life: number): void {
    for (const [number, { call, done }] of this.#open) {
      if (call.life !== life) continue
      this.#open.delete(number)
      done(false)
    }
  }

  #think(client: number): void {
    const { scheduler, random, profile } = this.#options
    scheduler.after(random.next() * 2 * profile.thinkMs, () => {
      if (this.#isRunning) this.#act(client)
    })
  }

  #act(client: number): void {
    const { random, members, scheduler, requests } = this.#options
    const member = random.pick(members.filter(({ api }) => api !== undefined))
    if (member === undefined) {
      this.#think(client)
      return
    }
    let cancel = (): void => {}
    let isOver = false
    const next = (): void => {
      if (isOver) return
      isOver = true
      cancel()
      this.#think(client)
    }
    cancel = scheduler.after(random.pick(patienceMs) ?? 0, next)
    this.#ask(client, member, requests.next(), next)
  }

  /** One more request, of nobody. */
  ask(member: SimMember, request: KvRequest, done: CallDone = ignore): void {
    this.#ask(nobody, member, request, done)
  }

  #ask(client: number, member: SimMember, request: KvRequest, done: CallDone): void {
    const { api, life } = member
    if (api === undefined || life === undefined) return
    const { checkers, scheduler, onNote } = this.#options
    const { floor, compactFloor } = checkers
    const number = ++this.#numbers
    const user = this.#userOf(client)
    const told = { user, floor, compactFloor, calledMs: scheduler.now }
    const call = { number, client, member: member.name, life, request, ...told }
    this.#open.set(number, { call, done })
    const name = user === undefined ? '' : ` as ${user}`
    onNote(`${client} asks ${member.name} ${number}${name} ${describeRequest(request)}`)
    checkers.called(call)
    member.reach(() => {
      start(viewOf(api, user), request, (error, answer) => {
        this.#options.check(() => this.#hear(call, error, answer))
      })
    })
  }

  /** What nobody asks is asked by root. */
  #userOf(client: number): UserName | undefined {
    const { users } = this.#options
    if (users === undefined) return undefined
    return client === nobody ? 'root' : users()
  }

  /** Who has got a lease may use it at once, and elsewhere. */
  #renewAtOnce(id: bigint): void {
    const { random, members } = this.#options
    const member = random.pick(members)
    if (this.#isRunning && random.chance(0.5) && member !== undefined) {
      this.ask(member, { type: 'leaseKeepAlive', id })
    }
  }

  #hear(call: Call, error: KvError | undefined, answer: Answer | undefined): void {
    // Undefined if its member has died: what the last microtasks of the dead do is nobody's concern.
    const open = this.#open.get(call.number)
    if (open === undefined) return
    this.#open.delete(call.number)
    const { checkers, onNote, requests } = this.#options
    if (answer !== undefined) {
      this.answered++
      const revision = answer.response?.header.revision ?? 0
      onNote(`${call.number} answered at ${revision}`)
      requests.heard(revision)
      checkers.answered(call, answer)
      if (answer.type === 'leaseGrant') this.#renewAtOnce(answer.response.id)
    } else if (error !== undefined) {
      this.refused++
      onNote(`${call.number} refused: ${error.code}`)
      checkers.refused(call, error)
    }
    open.done(answer !== undefined, answer ?? error)
  }
}

function ignore(): void {}

type AnswerDone = (error: KvError | undefined, answer: Answer | undefined) => void

function start(api: MemberApi, request: KvRequest, done: AnswerDone): void {
  switch (request.type) {
    case 'range':
      api.range(encodeRangeRequest(request.request), as('range', done))
      return
    case 'put':
      api.put(encodePutRequest(request.request), as('put', done))
      return
    case 'deleteRange':
      api.deleteRange(encodeDeleteRangeRequest(request.request), as('deleteRange', done))
      return
    case 'txn':
      api.txn(encodeTxnRequest(request.request), as('txn', done))
      return
    case 'compact':
      api.compact(encodeCompactionRequest(request), as('compact', done))
      return
    case 'leaseGrant':
      api.leaseGrant(encodeLeaseGrantRequest(request), as('leaseGrant', done))
      return
    case 'leaseRevoke':
      api.leaseRevoke(encodeLeaseRevokeRequest(request), as('leaseRevoke', done))
      return
    case 'leaseKeepAlive':
      api.leaseKeepAlive(request.id, as('leaseKeepAlive', done))
      return
    case 'leaseTimeToLive':
      api.leaseTimeToLive(request.id, true, as('leaseTimeToLive', done))
      return
    case 'hashKv':
      api.hashKv(request.revision, as('hashKv', done))
      return
    case 'defragment':
      api.defragment((error) => {
        done(error, error === undefined ? { type: 'defragment', response: undefined } : undefined)
      })
  }
}

/** Names the answer after the request, for whoever judges it. */
function as<Type extends Exclude<keyof Answers, 'defragment'>>(
  type: Type,
  done: AnswerDone,
): Done<Answers[Type]> {
  return (error, response) => {
    // The type of the response is that of the request.
    const answer = response === undefined ? undefined : ({ type, response } as Answer)
    done(error, answer)
  }
}
