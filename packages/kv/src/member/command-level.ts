// Which kinds of commands may be proposed while members of several versions run together. A member passes over a command that it does not
// know, so its data would differ from then on. Each says what it applies when it publishes its name; once all have, the leader says so
// through the log, and from there on it holds for ever: who knows less can neither join nor start again.
import { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { encodeClusterCommand } from './cluster-book.ts'
import { highestCommand, unsaidCommands } from './command.ts'
import type { Consensus } from './consensus.ts'
import { idText } from './identity.ts'
import type { LogGate } from './log-gate.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'

export interface CommandLevelOptions {
  readonly consensus: Consensus<CommandResult>
  readonly stateMachine: KvStateMachine
  readonly gate: LogGate
  /** All members, learners too, of the membership that is in force here. */
  readonly members: () => readonly MemberRecord[]
  /** Runs while no change of the membership does. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
}

export class CommandLevel {
  readonly #options: CommandLevelOptions
  #checking: Promise<void> | undefined

  constructor(options: CommandLevelOptions) {
    this.#options = options
  }

  /** As leader: tells the log what all members apply, if that has grown. What fails comes again with the next check. */
  async check(): Promise<void> {
    if (!this.#isDue()) return
    this.#checking ??= this.#raise()
    try {
      await this.#checking
    } finally {
      this.#checking = undefined
    }
  }

  async #raise(): Promise<void> {
    try {
      await this.#options.inTurn(() => this.#raiseInTurn())
    } catch (reason) {
      // Too many changes wait.
      if (!(reason instanceof KvError)) throw reason
    }
  }

  async #raiseInTurn(): Promise<void> {
    const { consensus, stateMachine } = this.#options
    const { term } = consensus.status()
    // What was in the log before this is applied after it: a change of the membership too that was given up and came through all the same.
    const isFirst = await this.#tell(stateMachine.cluster.commands, term)
    if (isFirst && consensus.status().term === term && this.#isDue()) {
      await this.#tell(this.#lowest(), term)
    }
  }

  #isDue(): boolean {
    const { consensus, stateMachine, gate } = this.#options
    if (gate.isClosed || this.#lowest() <= stateMachine.cluster.commands) return false
    const { role, term } = consensus.status()
    // Until an entry of the own term is applied, the members may be those of before.
    return role === 'leader' && stateMachine.applied.term === term
  }

  #lowest(): number {
    const { stateMachine, members } = this.#options
    const said = members().map(({ id }) => {
      return stateMachine.cluster.members.get(idText(id))?.commands ?? unsaidCommands
    })
    return said.length === 0 ? unsaidCommands : Math.min(highestCommand, ...said)
  }

  /** False: it did not come through. */
  #tell(highest: number, term: number): Promise<boolean> {
    const command = encodeClusterCommand({ op: 'commands', highest, term })
    return new Promise((resolve) => {
      this.#options.gate.propose('cluster', command, (error) => resolve(error === undefined))
    })
  }
}
