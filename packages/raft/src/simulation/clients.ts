// The clients of a simulated cluster: each asks any member for something, waits for the answer, thinks, and goes on. What they were told is what
// the checkers hold the cluster to. A client that gets no answer in its time, or whose member dies, never learns what became of its request.
import { assert } from '../core/assert.ts'
import { RaftError } from '../errors.ts'
import type { Node } from '../node/types.ts'
import type { DefaultCheckers } from './checkers/default-checkers.ts'
import type { Operation } from './checkers/history.ts'
import { Violation } from './checkers/checker.ts'
import type { Profile } from './profile.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimMember } from './sim-member.ts'
import { encodeEnvelope, type CommandResult } from './watched-machine.ts'
import type { AnyWorkload } from './workload.ts'

export interface ClientsOptions {
  readonly profile: Profile
  readonly workload: AnyWorkload
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly members: readonly SimMember[]
  readonly checkers: DefaultCheckers
  readonly onViolation: (reason: unknown) => void
  /** A line for the trace. */
  readonly onRequest: (text: string) => void
}

/** After that a client goes on; the answer, if it comes, still counts. */
const patienceMs = [500, 2_000, 8_000]
/** Of the requests drawn in a row one must be a write. */
const drawsMax = 1_000
/** Of the requests that only test whether a member serves again. */
const nobody = -1

interface OpenRequest {
  readonly operation: Operation
  readonly member: SimMember
  readonly life: number | undefined
  /** Called once, whatever comes of it. */
  readonly done: (isAnswered: boolean) => void
}

export class Clients {
  readonly #options: ClientsOptions
  #isRunning = true
  readonly #open = new Map<number, OpenRequest>()
  /** Commands that a node has not answered. */
  readonly #pending = new WeakMap<Node<CommandResult>, number>()

  constructor(options: ClientsOptions) {
    this.#options = options
    for (let client = 0; client < options.profile.clientCount; client++) this.#think(client)
  }

  stop(): void {
    this.#isRunning = false
  }

  /** A request that a member, alive ever since, has never answered. */
  unanswered(): string | undefined {
    for (const { operation, member, life } of this.#open.values()) {
      if (member.lifeNumber === life) return `request ${operation.number} at ${member.id}`
    }
    return undefined
  }

  /** A member's life has ended: its clients notice that the line is dead. */
  memberStopped(member: SimMember, life: number): void {
    for (const [number, request] of this.#open) {
      if (request.member !== member || request.life !== life) continue
      this.#open.delete(number)
      request.done(false)
    }
  }

  #think(client: number): void {
    const { scheduler, random, profile } = this.#options
    scheduler.after(random.next() * 2 * profile.thinkMs, () => {
      if (this.#isRunning) this.#act(client)
    })
  }

  #act(client: number): void {
    const { random, members, scheduler, workload, profile } = this.#options
    const member = random.pick(members.filter(({ node }) => node !== undefined))
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
    this.#ask({ client, member, input: workload.next(client, random), done: next })
    if (random.chance(profile.burstRate)) this.#burst(member)
  }

  /** More than a member takes at a time. */
  #burst(member: SimMember): void {
    const limit = this.#options.profile.limits.pendingCommandsMax ?? 0
    for (let i = 0; i <= limit; i++) this.write(member, () => {})
  }

  /** One more write at `member`; `done` hears of success and failure alike. */
  write(member: SimMember, done: (isWritten: boolean) => void): void {
    const input = this.#draw(this.#options.random, (command) => command !== undefined)
    assert(input !== undefined, 'a workload writes now and then')
    this.#ask({ client: nobody, member, input, done })
  }

  /** One more read at `member`, if the workload reads at all. */
  read(member: SimMember, random: SeededRandom): void {
    const input = this.#draw(random, (command) => command === undefined)
    if (input !== undefined) this.#ask({ client: nobody, member, input, done: () => {} })
  }

  #draw(random: SeededRandom, isWanted: (command: unknown) => boolean): unknown {
    const { workload } = this.#options
    for (let draws = 0; draws < drawsMax; draws++) {
      const input = workload.next(nobody, random)
      if (isWanted(workload.command(input))) return input
    }
    return undefined
  }

  #ask(request: {
    readonly client: number
    readonly member: SimMember
    readonly input: unknown
    readonly done: (isAnswered: boolean) => void
  }): void {
    const { client, member, input, done } = request
    const { checkers, workload, profile, onRequest } = this.#options
    const { node } = member
    if (node === undefined) return
    const command = workload.command(input)
    const isRead = command === undefined
    const operation = checkers.history.call({ client, member: member.id, isRead, input })
    checkers.called(operation)
    onRequest(`client ${client} asks ${member.id} ${operation.number} ${JSON.stringify(input)}`)
    const life = member.lifeNumber
    this.#open.set(operation.number, { operation, member, life, done })
    if (isRead) {
      member.reach(() => {
        node.read((error) => {
          this.#readDone(operation, error)
        })
      })
      return
    }
    const envelope = encodeEnvelope(operation.number, command, profile.paddingSizeBytes)
    member.reach(() => {
      this.#propose(node, operation, envelope)
    })
  }

  #propose(node: Node<CommandResult>, operation: Operation, envelope: Uint8Array): void {
    const { number } = operation
    let answers = 0
    this.#count(node, 1)
    node.propose(envelope, (error, result) => {
      this.#count(node, -1)
      this.#guard(() => {
        if (++answers > 1) throw new Violation('one answer', `request ${number} has two answers`)
      })
      this.#writeDone(operation, error, result)
    })
    this.#guard(() => {
      const limit = this.#options.profile.limits.pendingCommandsMax ?? Infinity
      const pending = this.#pending.get(node) ?? 0
      if (pending <= limit) return
      throw new Violation('bounded memory', `${operation.member} has ${pending} pending commands`)
    })
  }

  #count(node: Node<CommandResult>, change: number): void {
    this.#pending.set(node, (this.#pending.get(node) ?? 0) + change)
  }

  #readDone(operation: Operation, error: Error | undefined): void {
    const request = this.#take(operation)
    if (request === undefined) return
    this.#checkWitness(request, error)
    const watched = request.member.stateMachine
    if (error === undefined && watched !== undefined) {
      const output = this.#options.workload.read(watched.machine, operation.input)
      this.#answered(operation, output, watched.appliedIndex)
    } else this.#refused(operation, error)
    request.done(error === undefined)
  }

  #writeDone(
    operation: Operation,
    error: Error | undefined,
    result: CommandResult | undefined,
  ): void {
    const request = this.#take(operation)
    if (request === undefined) return
    this.#checkWitness(request, error)
    if (result !== undefined) this.#answered(operation, result.output, result.index)
    else if (!isUncertain(error)) this.#refused(operation, error)
    request.done(result !== undefined)
  }

  /** A witness turns everybody away, and says why. */
  #checkWitness({ operation, member }: OpenRequest, error: Error | undefined): void {
    const isSaid =
      error instanceof RaftError && (error.code === 'WITNESS' || error.code === 'CLOSED')
    if (!member.isWitness || isSaid) return
    const what = `witness ${member.id} answers request ${operation.number}`
    this.#options.onViolation(new Violation('witnesses hold no data', what))
  }

  /** Undefined if its member has died: what the last microtasks of the dead do is nobody's concern. */
  #take({ number }: Operation): OpenRequest | undefined {
    const request = this.#open.get(number)
    this.#open.delete(number)
    return request
  }

  #answered(call: Operation, output: unknown, index: number): void {
    const { checkers, workload, onRequest } = this.#options
    const operation = checkers.history.answer(call, output, index)
    onRequest(`${call.number} answered at ${index} ${JSON.stringify(output)}`)
    workload.answered?.(operation.input, output)
    this.#guard(() => {
      checkers.answered(operation)
    })
  }

  #refused(operation: Operation, error: Error | undefined): void {
    const { checkers, onRequest } = this.#options
    onRequest(`${operation.number} refused: ${error instanceof RaftError ? error.code : 'error'}`)
    checkers.history.refuse(operation)
    this.#guard(() => {
      checkers.refused(operation)
    })
  }

  #guard(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#options.onViolation(error)
    }
  }
}

/** The command may have been done, or may still be. */
function isUncertain(error: Error | undefined): boolean {
  return error instanceof RaftError && (error.code === 'TIMEOUT' || error.code === 'CLOSED')
}
