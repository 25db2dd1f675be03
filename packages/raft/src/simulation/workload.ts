// What a simulated cluster runs: a state machine, clients that use it, and what their requests mean. A user brings its own to let the
// simulator test it; without one the clients of register-workload.ts read, write and compare-and-swap a few registers.
import type { NodeId } from '../core/types.ts'
import type { StateMachine } from '../node/types.ts'
import type { SeededRandom } from './random.ts'
import type { SimFileSystem } from './sim-file-system.ts'

/** Where a state machine runs, for one life of a member: from a start to the next crash. */
export interface MachineHost {
  readonly id: NodeId
  /** The member's simulated disk. One that keeps a durable copy of its own does so here, in a folder of its own. */
  readonly fileSystem: SimFileSystem
}

/** Makes the state machine of a member that starts, as it was after the last crash. Called once a life. */
export type CreateStateMachine<Machine> = (host: MachineHost) => Machine | Promise<Machine>

/**
 * What a request does to a state when nothing else happens at the same time. Inputs, outputs and states are plain data. The
 * simulator looks for an order of all requests, true to the time of each, in which every client got just these outputs.
 */
export interface Specification<Input, Output, State> {
  readonly initial: State
  step(state: State, input: Input): { readonly state: State; readonly output: Output }
  /** Requests of different parts (keys, say) never see each other: each part has a state of its own and is checked alone. */
  partOf?(input: Input): string
}

/** Clients as functions of the run's chances. Made anew for every run. */
export interface Workload<Input, Output, State, Machine = StateMachine<Output>> {
  /** What client number `client` asks next. */
  next(client: number, random: SeededRandom): Input
  /** The command that goes through the log; undefined for a read. */
  command(input: Input): Uint8Array | undefined
  /** Answers a read from the state machine of the member that was asked. */
  read(machine: Machine, input: Input): Output
  /** A client has got its answer. */
  answered?(input: Input, output: Output): void
  readonly specification: Specification<Input, Output, State>
}

/** A workload of whatever types. */
export type AnyWorkload = Workload<unknown, unknown, unknown, StateMachine<unknown>>

/** What keeps the state machine of one member from life to life. */
export interface MachineHome {
  open(host: MachineHost): StateMachine<unknown> | Promise<StateMachine<unknown>>
  /** The power fails. */
  crash?(): void
  /** The process is killed; what it wrote stays. */
  kill?(): void
}

/** Made once a run. */
export interface Application {
  readonly workload: AnyWorkload
  home(id: NodeId, random: SeededRandom): MachineHome
}
