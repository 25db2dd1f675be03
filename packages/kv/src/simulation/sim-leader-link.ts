// Lease questions on their way to the leader and back, as over HTTP: they take time, and hang when the wire is cut.
import type { NodeId } from '@balsa/raft'
import type { Gate, Scheduler, SeededRandom, SimNetwork } from '@balsa/raft/simulation'
import { KvError } from '../errors.ts'
import type { LeaseTimes } from '../lease/lessor.ts'
import { idText } from '../member/identity.ts'
import type { LeaderLink } from '../member/lease-keeper.ts'
import type { MemberCore } from '../member/member.ts'
import type { Done } from '../member/types.ts'

/** As the real link waits. */
const timeoutMs = 2_000

/** The far end of a question. */
export interface LinkEnd {
  readonly id: NodeId
  readonly core: MemberCore | undefined
  /** Runs it in the process when that is awake. */
  reach(action: () => void): void
}

export interface SimLeaderLinkOptions {
  readonly id: NodeId
  /** Of this life. */
  readonly gate: Gate
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly network: SimNetwork
  /** The leader that this member knows. */
  readonly leader: () => bigint
  readonly ends: () => readonly LinkEnd[]
}

export class SimLeaderLink implements LeaderLink {
  readonly #options: SimLeaderLinkOptions

  constructor(options: SimLeaderLinkOptions) {
    this.#options = options
  }

  renew(id: bigint, done: Done<number>): void {
    this.#ask((core, answer) => core.leases.renewHere(id, answer), done)
  }

  timeToLive(id: bigint, done: Done<LeaseTimes | undefined>): void {
    this.#ask((core, answer) => core.leases.timeToLiveHere(id, answer), done)
  }

  #ask<T>(question: (core: MemberCore, answer: Done<T>) => void, done: Done<T>): void {
    const { scheduler, gate, network, id, ends, leader } = this.#options
    const leaderId = idText(leader())
    const end = ends().find((each) => each.id === leaderId)
    if (end === undefined) {
      done(new KvError('NO_LEADER'), undefined)
      return
    }
    let isOver = false
    const once = (answer: () => void): void => {
      gate.pass('io', () => {
        if (isOver) return
        isOver = true
        answer()
      })
    }
    scheduler.after(timeoutMs, () => once(() => done(new KvError('NO_LEADER'), undefined)))
    this.#carry(() => {
      const { core } = end
      if (core === undefined || network.isBlocked(id, end.id)) return
      end.reach(() => {
        question(core, (error, result) => {
          this.#carry(() => {
            if (network.isBlocked(end.id, id)) return
            once(() => done(error && new KvError('NO_LEADER'), result))
          })
        })
      })
    })
  }

  #carry(arrived: () => void): void {
    const { scheduler, random, network } = this.#options
    const { delayMinMs, delayMaxMs } = network.faults
    scheduler.after(delayMinMs + random.next() * (delayMaxMs - delayMinMs), arrived)
  }
}
