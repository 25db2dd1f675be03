// What a mutant of the bug zoos is: a wrong change of raft, or of the whole member, as texts to find and what to put in their place.

/** Seeds 1 to this many are tried. */
export const mutantSeedsMax = 900

export type MutatedPackage = 'raft' | 'kv'

export interface Mutant {
  readonly name: string
  /** Whose simulator has to notice it; left out: raft's. */
  readonly package?: MutatedPackage
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
    | 'history'
    | 'watch'
    | 'lease'
    | 'users'
    | 'alarm'
  /** A seed that noticed it, tried first to save time. */
  readonly seed: number
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** Under the package's src. */
  readonly file: string
  /** Occurs once. */
  readonly find: string
  readonly replace: string
}

export function change(file: string, find: string, replace: string): Edit {
  return { file, find, replace }
}
