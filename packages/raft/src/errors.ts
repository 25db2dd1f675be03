// The closed set of failures a user of the package must expect.

export type RaftErrorCode =
  /** No leader is known, or it changed while the request was on its way; nothing was applied. */
  | 'NO_LEADER'
  /** This member is not the leader, and the call works only there. */
  | 'NOT_LEADER'
  /** A named limit is reached; try again later. */
  | 'OVERLOADED'
  /** Another change of membership is under way, or a new leader does not know yet that none is; try again when it is over. */
  | 'CHANGE_PENDING'
  /** The leader is handing its lead over; try again at the new one. */
  | 'TRANSFERRING'
  /** No step leads from the membership in force to the one that is asked for: the message says why. */
  | 'INVALID_MEMBERSHIP'
  /** This member is a witness: it holds no state to read, and takes no commands. */
  | 'WITNESS'
  /** The command is larger than commandSizeBytesMax. */
  | 'TOO_LARGE'
  /** No answer in time; a proposal may still be applied. */
  | 'TIMEOUT'
  /** The node was closed or has failed. */
  | 'CLOSED'
  /** A file holds bytes that no crash explains: `file` and `offset` say where. */
  | 'CORRUPT'
  /** Entries that were asked for are not in the log any more. */
  | 'COMPACTED'
  /** The folder is in use by another process. */
  | 'LOCKED'
  /** The folder, or a peer, belongs to another cluster or member. */
  | 'CLUSTER_MISMATCH'
  /** A member of the cluster as it was before it was recovered from the loss of its quorum; it takes no part any more. */
  | 'OLD_GENERATION'
  /** A peer's certificate is missing, unknown or expired, names another member, or one end speaks no TLS. */
  | 'UNTRUSTED'
  /** A format or protocol version that this code does not know. */
  | 'VERSION_MISMATCH'
  /** What cannot be taken back was not confirmed, or is not needed. */
  | 'NOT_CONFIRMED'

export class RaftError extends Error {
  override readonly name = 'RaftError'
  readonly code: RaftErrorCode
  readonly file: string | undefined
  readonly offset: number | undefined

  constructor(
    code: RaftErrorCode,
    message: string,
    options: { cause?: unknown; file?: string; offset?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.file = options.file
    this.offset = options.offset
  }
}
