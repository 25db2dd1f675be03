// One command line for kubectl and what must come of it.

/** What a run must be like. */
export interface Expected {
  /** 0 unless given. */
  readonly code?: number
  /** What standard output must have; left out, it may say anything. */
  readonly out?: RegExp
  readonly err?: RegExp
}

export interface Command extends Expected {
  /** For a shell; `K` is kubectl, `{node}` and `{node2}` are the nodes. */
  readonly line: string
  /** Why Kubernetes or the client refuses it, for the table. */
  readonly refused?: string
  /** With kubectl 1.20.2, where that differs. */
  readonly old?: Expected & { readonly refused?: string }
  /** Not one of the listed command lines: it prepares or waits for what those need. Tried again until it does as expected. */
  readonly isPreparation?: boolean
}

export const prepare = (line: string, expected: Expected = {}): Command => ({
  line,
  ...expected,
  isPreparation: true,
})
