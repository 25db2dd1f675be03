// The state machine of a witness: it votes and counts entries without their payloads, so there is nothing to hold but how far the log is.
import { assert } from '../core/assert.ts'
import type { LogIndex } from '../core/types.ts'
import type { CommittedEntry, StateMachine, StateSnapshot } from './types.ts'

export class WitnessMachine<Result> implements StateMachine<Result> {
  #appliedIndex: LogIndex = 0

  apply(entry: CommittedEntry): readonly Result[] {
    assert(entry.commands.length === 0, 'a witness is sent no payloads')
    this.#appliedIndex = entry.index
    return []
  }

  membershipChanged(): void {}

  snapshot(): StateSnapshot {
    return emptySnapshot(this.#appliedIndex)
  }

  async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) assert(chunk.length === 0, 'a witness is sent no state')
    this.#appliedIndex = index
  }
}

/** Stands for the log up to `index`, and nothing else: what a witness has, and is sent. */
export function emptySnapshot(index: LogIndex): StateSnapshot {
  return {
    index,
    async *chunks() {
      yield* []
    },
    release() {},
  }
}
