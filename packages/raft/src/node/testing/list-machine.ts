// A small state machine for tests: it keeps every command it has applied, in order, so that two members are compared command by command.
import type { CommittedEntry, StateMachine, StateSnapshot } from '../types.ts'
import type { LogIndex, Membership } from '../../core/types.ts'

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
    const index = this.appliedIndex
    const bytes = Buffer.from(JSON.stringify(this.commands))
    return {
      index,
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
