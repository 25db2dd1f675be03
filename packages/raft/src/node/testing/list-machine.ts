// Small state machines for tests: they keep every command they have applied, in order, so that members are compared command by command.
import type { LogIndex, Membership } from '../../core/types.ts'
import type { CommittedEntry, StateMachine, StateSnapshot } from '../types.ts'

export class ListMachine implements StateMachine<number> {
  commands: string[] = []
  appliedIndex: LogIndex = 0
  membership: Membership | undefined
  restores = 0

  apply(entry: CommittedEntry): readonly number[] {
    if (entry.index !== this.appliedIndex + 1) throw new Error('an entry is missing or came twice')
    this.appliedIndex = entry.index
    return entry.commands.map((command) => this.commands.push(Buffer.from(command).toString()))
  }

  membershipChanged(membership: Membership): void {
    this.membership = membership
  }

  snapshot(): StateSnapshot {
    const bytes = Buffer.from(JSON.stringify(this.commands))
    return {
      index: this.appliedIndex,
      async *chunks() {
        for (let at = 0; at < bytes.length; at += 1000) {
          yield await Promise.resolve(bytes.subarray(at, at + 1000))
        }
      },
      release() {},
    }
  }

  async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    this.commands = JSON.parse(Buffer.concat(parts).toString()) as string[]
    this.appliedIndex = index
    this.restores++
  }
}

/** What a durable machine has on its "disk"; outlives the machine. */
export interface ListDisk {
  commands: readonly string[]
  appliedIndex: LogIndex
}

/** Has storage of its own: a checkpoint copies the state to it. */
export class DurableListMachine extends ListMachine {
  readonly durable: {
    readonly appliedIndex: LogIndex
    readonly checkpoint: () => Promise<LogIndex>
  }
  readonly #disk: ListDisk

  constructor(disk: ListDisk) {
    super()
    this.#disk = disk
    this.commands = [...disk.commands]
    this.appliedIndex = disk.appliedIndex
    this.durable = {
      appliedIndex: disk.appliedIndex,
      checkpoint: () => {
        this.#store()
        return Promise.resolve(this.appliedIndex)
      },
    }
  }

  #store(): void {
    this.#disk.commands = [...this.commands]
    this.#disk.appliedIndex = this.appliedIndex
  }

  override async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await super.restore(index, chunks)
    this.#store()
  }
}
