// The clients of a simulated cluster: each proposes a command or reads, waits for the answer, thinks, and goes on. What they were told is what
// the checkers hold the cluster to.
import { RaftError } from '../errors.ts'
import type { DefaultCheckers } from './checkers/default-checkers.ts'
import { Violation } from './checkers/checker.ts'
import type { Profile } from './profile.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimMember } from './sim-member.ts'

export interface WorkloadOptions {
  readonly profile: Profile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly members: readonly SimMember[]
  readonly checkers: DefaultCheckers
  readonly onViolation: (reason: unknown) => void
}

/** After that a client asks another member; the answer, if it comes, still counts. */
const patienceMs = 5_000

export class Workload {
  readonly #options: WorkloadOptions
  #isRunning = true
  #commandCount = 0
  /** Asked and not yet answered, with the life of the member that was asked. */
  readonly #open = new Map<
    string,
    { readonly member: SimMember; readonly life: number | undefined }
  >()
  #readCount = 0

  constructor(options: WorkloadOptions) {
    this.#options = options
    for (let client = 0; client < options.profile.clientCount; client++) this.#think(client)
  }

  get commandCount(): number {
    return this.#commandCount
  }

  stop(): void {
    this.#isRunning = false
  }

  /** A request that a member, alive ever since, has never answered. */
  unanswered(): string | undefined {
    for (const [name, { member, life }] of this.#open) {
      if (member.lifeNumber === life) return `${name} at ${member.id}`
    }
    return undefined
  }

  #think(client: number): void {
    const { scheduler, random, profile } = this.#options
    scheduler.after(random.next() * 2 * profile.thinkMs, () => {
      if (this.#isRunning) this.#act(client)
    })
  }

  #act(client: number): void {
    const { random, members, profile, scheduler } = this.#options
    const member = random.pick(members)
    let isOver = false
    const next = (): void => {
      if (isOver) return
      isOver = true
      this.#think(client)
    }
    scheduler.after(patienceMs, next)
    if (member?.node === undefined) return
    if (random.chance(profile.readRate)) this.#read(member, next)
    else this.write(member, next)
  }

  #read(member: SimMember, next: () => void): void {
    const { checkers } = this.#options
    const answered = checkers.reading()
    const life = member.lifeNumber
    const name = `read-${this.#readCount++}`
    this.#open.set(name, { member, life })
    member.node?.read((error) => {
      if (member.lifeNumber !== life) return
      this.#open.delete(name)
      next()
      if (error !== undefined) return
      this.#guard(() => {
        answered(member.stateMachine?.appliedIndex ?? 0)
      })
    })
  }

  /** Proposes one more command at `member`; `done` hears of success and failure alike. */
  write(member: SimMember, done: (isWritten: boolean) => void): void {
    const { node } = member
    if (node === undefined) return
    const command = `command-${this.#commandCount++}`
    const life = member.lifeNumber
    let answers = 0
    this.#open.set(command, { member, life })
    const padding = '.'.repeat(this.#options.profile.paddingSizeBytes)
    node.propose(Buffer.from(`${command} ${padding}`), (error, index) => {
      if (member.lifeNumber !== life) return
      this.#open.delete(command)
      this.#guard(() => {
        if (++answers > 1) throw new Violation('one answer', `${command} was answered twice`)
        this.#written(command, error, index)
      })
      done(error === undefined)
    })
  }

  #written(command: string, error: Error | undefined, index: number | undefined): void {
    const { checkers } = this.#options
    if (error === undefined) checkers.acknowledged({ command, index: index ?? 0 })
    else if (!isUncertain(error)) checkers.refused(command)
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
function isUncertain(error: Error): boolean {
  return error instanceof RaftError && (error.code === 'TIMEOUT' || error.code === 'CLOSED')
}
