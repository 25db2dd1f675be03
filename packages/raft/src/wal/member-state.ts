// What a member must not forget stands twice: in the log and in the metadata file. This keeps the two together, and puts them together
// again when one of them is damaged: terms and votes only grow, so the newer of two answers is the right one.
import { isSoleVoter } from '../core/membership.ts'
import type { HardState, Membership } from '../core/types.ts'
import type { MetadataFile } from './metadata-file.ts'
import type { MemberState } from './metadata-format.ts'
import type { RecordItem } from './record-body.ts'
import type { Segment } from './segment.ts'

/** The newest of what the log and the metadata say. */
export function mergeHardState(log: HardState, state: MemberState | undefined): HardState {
  if (state === undefined) return log
  const term = Math.max(log.term, state.term)
  const votes = [log, state].map((one) => (one.term === term ? one.vote : undefined))
  const isRecovering = state.isRecovering || log.isRecovering === true
  return {
    term,
    vote: votes[0] ?? votes[1],
    commit: log.commit,
    ...(isRecovering ? { isRecovering } : {}),
  }
}

export function isSameHardState(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.isRecovering === b.isRecovering
}

/** While a member recovers, nobody knows whether its membership is the newest: it is never taken for the only voter. */
export function isKnownSoleVoter(
  hardState: HardState,
  membership: Membership,
  { nodeId }: Pick<MemberState, 'nodeId'>,
): boolean {
  return hardState.isRecovering !== true && isSoleVoter(membership, nodeId)
}

/** Says when a record brings something that the metadata file must hold too. */
export class StateKeeper {
  readonly #file: MetadataFile
  /** How much of the segment was allocated when the end of the log was written down last. */
  #allocatedBytes = 0

  constructor(file: MetadataFile) {
    this.#file = file
  }

  get isSoleVoter(): boolean {
    return this.#file.state.isSoleVoter
  }

  /**
   * What to write beside a record with these items; undefined if nothing changes. The end of the log is written down whenever zeros
   * were written ahead: if they went elsewhere, and took records with them, the next opening misses those.
   */
  stateAfter(
    items: readonly RecordItem[],
    segment: Segment,
    newestMembership: Membership,
  ): MemberState | undefined {
    const { state } = this.#file
    let { generation } = state
    let hardState: HardState = hardStateOf(state)
    for (const item of items) {
      if (item.type === 'hardState') hardState = item.hardState
      else if (item.type === 'generation') generation = item.generation
    }
    const isSole = isKnownSoleVoter(hardState, newestMembership, state)
    const isSame =
      isSameHardState(hardState, hardStateOf(state)) &&
      generation === state.generation &&
      isSole === state.isSoleVoter &&
      segment.sequence === state.logEnd.sequence &&
      segment.allocatedBytes === this.#allocatedBytes
    if (isSame) return undefined
    this.#allocatedBytes = segment.allocatedBytes
    return {
      ...state,
      term: hardState.term,
      vote: hardState.vote,
      isRecovering: hardState.isRecovering === true,
      isSoleVoter: isSole,
      generation,
      logEnd: { sequence: segment.sequence, offset: segment.endOffset },
    }
  }

  async write(state: MemberState): Promise<void> {
    await this.#file.write(state)
  }

  /** With where the log ends. */
  async close(segment: Segment, isTrusted: boolean): Promise<void> {
    const logEnd = { sequence: segment.sequence, offset: segment.endOffset }
    const { state } = this.#file
    const isSame =
      state.logEnd.sequence === logEnd.sequence && state.logEnd.offset === logEnd.offset
    if (isTrusted && !isSame) await this.#file.write({ ...state, logEnd })
    await this.#file.close()
  }
}

function hardStateOf({ term, vote, isRecovering }: MemberState): HardState {
  return { term, vote, commit: 0, ...(isRecovering ? { isRecovering } : {}) }
}
