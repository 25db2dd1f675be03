// What a mutant of the bug zoo is: a wrong change to the core, the WAL or the shell, as texts to find and what to put in their place.

/** Seeds 1 to this many are tried. */
export const mutantSeedsMax = 300

export interface Mutant {
  readonly name: string
  /** What it breaks. */
  readonly kind:
    | 'election'
    | 'log'
    | 'commit'
    | 'reads'
    | 'membership'
    | 'snapshot'
    | 'proposals'
    | 'durability'
    | 'recovery'
    | 'corruption'
  /** A seed that noticed it, tried first to save time. */
  readonly seed: number
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** Under packages/raft/src. */
  readonly file: string
  /** Occurs once. */
  readonly find: string
  readonly replace: string
}

export function change(file: string, find: string, replace: string): Edit {
  return { file, find, replace }
}
