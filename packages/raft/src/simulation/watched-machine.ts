// A state machine whose every step is reported. Commands of simulated clients travel in an envelope: a number that no other has, so that the
// checkers can tell them apart whatever the user's commands are, and padding, so that some are large.
import { crc32 } from 'node:zlib'
import type { LogIndex, Membership } from '../core/types.ts'
import type { CommittedEntry, StateMachine, StateSnapshot } from '../node/types.ts'
import type { AppliedEntry } from './checkers/checker.ts'

const envelopeSizeBytes = 8

/** Of every other command; what is padded with zeros must not be taken for what never reached the disk. */
const paddingByte = 0x2e

/** Bytes: number u32, size of the command u32, command, padding. */
export function encodeEnvelope(
  number: number,
  command: Uint8Array,
  paddingSizeBytes: number,
): Uint8Array {
  const sizeBytes = envelopeSizeBytes + command.length + paddingSizeBytes
  const bytes = Buffer.alloc(sizeBytes, number % 2 === 0 ? 0 : paddingByte)
  bytes.writeUInt32LE(number, 0)
  bytes.writeUInt32LE(command.length, 4)
  bytes.set(command, envelopeSizeBytes)
  return bytes
}

export interface MachineEvents {
  /** Before the machine gets them. */
  applying(applied: AppliedEntry): void
  /** Before a snapshot takes the place of the state. */
  restoring(index: LogIndex): void
}

/** The answer to one command. */
export interface CommandResult {
  readonly index: LogIndex
  readonly output: unknown
}

export class WatchedMachine implements StateMachine<CommandResult> {
  readonly machine: StateMachine<unknown>
  readonly #events: MachineEvents
  #appliedIndex: LogIndex
  readonly durable?: NonNullable<StateMachine<CommandResult>['durable']>

  constructor(machine: StateMachine<unknown>, events: MachineEvents) {
    this.machine = machine
    this.#events = events
    this.#appliedIndex = machine.durable?.appliedIndex ?? 0
    if (machine.durable !== undefined) this.durable = machine.durable
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex
  }

  apply({ index, term, commands: envelopes }: CommittedEntry): readonly CommandResult[] {
    const numbers: number[] = []
    const commands: Uint8Array[] = []
    let checksum = 0
    for (const envelope of envelopes) {
      const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength)
      numbers.push(bytes.readUInt32LE(0))
      commands.push(bytes.subarray(envelopeSizeBytes, envelopeSizeBytes + bytes.readUInt32LE(4)))
      checksum = crc32(bytes, checksum)
    }
    this.#events.applying({ index, term, numbers, commands, checksum })
    this.#appliedIndex = index
    return this.machine.apply({ index, term, commands }).map((output) => ({ index, output }))
  }

  membershipChanged(membership: Membership, index: LogIndex): void {
    this.machine.membershipChanged(membership, index)
  }

  snapshot(): StateSnapshot {
    return this.machine.snapshot()
  }

  async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#events.restoring(index)
    await this.machine.restore(index, chunks)
    this.#appliedIndex = index
  }
}
