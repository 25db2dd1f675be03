// Every failure a client can see: code -> etcd's text and gRPC status (api/v3rpc/rpctypes/error.go). Clients match on the exact text.

/** gRPC status codes. */
export const grpcStatus = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const
export type GrpcStatus = (typeof grpcStatus)[keyof typeof grpcStatus]

const s = grpcStatus
export type KvErrorCode =
  | 'EMPTY_KEY'
  | 'KEY_NOT_FOUND'
  | 'VALUE_PROVIDED'
  | 'LEASE_PROVIDED'
  | 'TOO_MANY_OPS'
  | 'DUPLICATE_KEY'
  | 'INVALID_CLIENT_API_VERSION'
  | 'INVALID_SORT_OPTION'
  | 'REQUEST_TOO_LARGE'
  | 'MEMBER_BAD_URLS'
  | 'COMPACTED'
  | 'FUTURE_REVISION'
  | 'LEASE_TTL_TOO_LARGE'
  | 'NO_SPACE'
  | 'TOO_MANY_REQUESTS'
  | 'QUOTA_EXCEEDED'
  | 'RATE_EXCEEDED'
  | 'QUOTA_MALFORMED'
  | 'QUOTA_NOT_FOUND'
  | 'TOO_MANY_QUOTAS'
  | 'LEASE_NOT_FOUND'
  | 'LEASE_EXISTS'
  | 'MEMBER_NOT_FOUND'
  | 'MEMBER_EXISTS'
  | 'MEMBER_REMOVED'
  | 'TIMEOUT_TRANSFER'
  | 'PEER_URL_EXISTS'
  | 'MEMBER_NOT_ENOUGH_STARTED'
  | 'MEMBER_NOT_LEARNER'
  | 'LEARNER_NOT_READY'
  | 'TOO_MANY_LEARNERS'
  | 'DOWNGRADE_FORMAT'
  | 'DOWNGRADE_VERSION'
  | 'CLUSTER_VERSION_UNAVAILABLE'
  | 'DOWNGRADE_IN_PROGRESS'
  | 'NO_DOWNGRADE'
  | 'CLUSTER_ID_MISMATCH'
  | 'NOT_LEADER'
  | 'NOT_CAPABLE'
  | 'LEARNER_NOT_SUPPORTED'
  | 'BAD_TRANSFEREE'
  | 'AUTH_NOT_ENABLED'
  | 'USER_EMPTY'
  | 'ROLE_EMPTY'
  | 'AUTH_FAILED'
  | 'PERMISSION_NOT_GIVEN'
  | 'INVALID_AUTH_MANAGEMENT'
  | 'AUTH_OLD_REVISION'
  | 'ROOT_USER_NOT_FOUND'
  | 'ROOT_ROLE_NOT_FOUND'
  | 'USER_EXISTS'
  | 'USER_NOT_FOUND'
  | 'ROLE_EXISTS'
  | 'ROLE_NOT_FOUND'
  | 'ROLE_NOT_GRANTED'
  | 'PERMISSION_NOT_GRANTED'
  | 'PERMISSION_DENIED'
  | 'INVALID_AUTH_TOKEN'
  | 'NO_LEADER'
  | 'LEADER_CHANGED'
  | 'STOPPED'
  | 'TIMEOUT'
  | 'TIMEOUT_LEADER_FAILED'
  | 'TIMEOUT_CONNECTION_LOST'
  | 'UNHEALTHY'
  | 'CORRUPT'
  | 'CORRUPT_CLUSTER'
  | 'WATCH_CANCELED'
  | 'REQUEST_CANCELED'
  | 'LOCK_LOST'
  | 'ELECTION_NO_LEADER'
  | 'ELECTION_NOT_LEADER'
  | 'LEADER_KEY_MISSING'
  | 'UNIMPLEMENTED'
  | 'MALFORMED'
  | 'CONNECTION_LOST'
  | 'SESSION_LOST'
  | 'RESULT_LOST'
  | 'ABORTED'
  | 'INTERNAL'

/** One row per error: gRPC status and the text as it stands on the wire. */
export const kvErrors: Record<KvErrorCode, readonly [GrpcStatus, string]> = {
  EMPTY_KEY: [s.invalidArgument, 'etcdserver: key is not provided'],
  KEY_NOT_FOUND: [s.invalidArgument, 'etcdserver: key not found'],
  VALUE_PROVIDED: [s.invalidArgument, 'etcdserver: value is provided'],
  LEASE_PROVIDED: [s.invalidArgument, 'etcdserver: lease is provided'],
  TOO_MANY_OPS: [s.invalidArgument, 'etcdserver: too many operations in txn request'],
  DUPLICATE_KEY: [s.invalidArgument, 'etcdserver: duplicate key given in txn request'],
  INVALID_CLIENT_API_VERSION: [s.invalidArgument, 'etcdserver: invalid client api version'],
  INVALID_SORT_OPTION: [s.invalidArgument, 'etcdserver: invalid sort option'],
  REQUEST_TOO_LARGE: [s.invalidArgument, 'etcdserver: request is too large'],
  MEMBER_BAD_URLS: [s.invalidArgument, 'etcdserver: given member URLs are invalid'],
  COMPACTED: [s.outOfRange, 'etcdserver: mvcc: required revision has been compacted'],
  FUTURE_REVISION: [s.outOfRange, 'etcdserver: mvcc: required revision is a future revision'],
  LEASE_TTL_TOO_LARGE: [s.outOfRange, 'etcdserver: too large lease TTL'],
  NO_SPACE: [s.resourceExhausted, 'etcdserver: mvcc: database space exceeded'],
  TOO_MANY_REQUESTS: [s.resourceExhausted, 'etcdserver: too many requests'],
  /** Of a prefix or a user, beyond etcd. The messages say whose, and how much it is. */
  QUOTA_EXCEEDED: [s.resourceExhausted, 'balsa: quota exceeded'],
  RATE_EXCEEDED: [s.resourceExhausted, 'balsa: rate exceeded'],
  QUOTA_MALFORMED: [s.invalidArgument, 'balsa: bad quota'],
  QUOTA_NOT_FOUND: [s.notFound, 'balsa: quota not found'],
  TOO_MANY_QUOTAS: [s.resourceExhausted, 'balsa: too many quotas'],
  LEASE_NOT_FOUND: [s.notFound, 'etcdserver: requested lease not found'],
  LEASE_EXISTS: [s.failedPrecondition, 'etcdserver: lease already exists'],
  MEMBER_NOT_FOUND: [s.notFound, 'etcdserver: member not found'],
  /** Of a member that is told that it is none any more. */
  MEMBER_REMOVED: [
    s.failedPrecondition,
    'the member has been permanently removed from the cluster',
  ],
  TIMEOUT_TRANSFER: [s.unavailable, 'etcdserver: request timed out, leader transfer took too long'],
  MEMBER_EXISTS: [s.failedPrecondition, 'etcdserver: member ID already exist'],
  PEER_URL_EXISTS: [s.failedPrecondition, 'etcdserver: Peer URLs already exists'],
  MEMBER_NOT_ENOUGH_STARTED: [
    s.failedPrecondition,
    'etcdserver: re-configuration failed due to not enough started members',
  ],
  MEMBER_NOT_LEARNER: [s.failedPrecondition, 'etcdserver: can only promote a learner member'],
  LEARNER_NOT_READY: [
    s.failedPrecondition,
    'etcdserver: can only promote a learner member which is in sync with leader',
  ],
  TOO_MANY_LEARNERS: [s.failedPrecondition, 'etcdserver: too many learner members in cluster'],
  DOWNGRADE_FORMAT: [s.invalidArgument, 'etcdserver: wrong downgrade target version format'],
  DOWNGRADE_VERSION: [s.invalidArgument, 'etcdserver: invalid downgrade target version'],
  CLUSTER_VERSION_UNAVAILABLE: [
    s.failedPrecondition,
    'etcdserver: cluster version not found during downgrade',
  ],
  DOWNGRADE_IN_PROGRESS: [
    s.failedPrecondition,
    'etcdserver: cluster has a downgrade job in progress',
  ],
  NO_DOWNGRADE: [s.failedPrecondition, 'etcdserver: no inflight downgrade job'],
  CLUSTER_ID_MISMATCH: [s.failedPrecondition, 'etcdserver: cluster ID mismatch'],
  NOT_LEADER: [s.failedPrecondition, 'etcdserver: not leader'],
  NOT_CAPABLE: [s.failedPrecondition, 'etcdserver: not capable'],
  LEARNER_NOT_SUPPORTED: [s.failedPrecondition, 'etcdserver: rpc not supported for learner'],
  BAD_TRANSFEREE: [s.failedPrecondition, 'etcdserver: bad leader transferee'],
  AUTH_NOT_ENABLED: [s.failedPrecondition, 'etcdserver: authentication is not enabled'],
  USER_EMPTY: [s.invalidArgument, 'etcdserver: user name is empty'],
  ROLE_EMPTY: [s.invalidArgument, 'etcdserver: role name is empty'],
  AUTH_FAILED: [
    s.invalidArgument,
    'etcdserver: authentication failed, invalid user ID or password',
  ],
  PERMISSION_NOT_GIVEN: [s.invalidArgument, 'etcdserver: permission not given'],
  INVALID_AUTH_MANAGEMENT: [s.invalidArgument, 'etcdserver: invalid auth management'],
  AUTH_OLD_REVISION: [s.invalidArgument, 'etcdserver: revision of auth store is old'],
  ROOT_USER_NOT_FOUND: [s.failedPrecondition, 'etcdserver: root user does not exist'],
  ROOT_ROLE_NOT_FOUND: [s.failedPrecondition, 'etcdserver: root user does not have root role'],
  USER_EXISTS: [s.failedPrecondition, 'etcdserver: user name already exists'],
  USER_NOT_FOUND: [s.failedPrecondition, 'etcdserver: user name not found'],
  ROLE_EXISTS: [s.failedPrecondition, 'etcdserver: role name already exists'],
  ROLE_NOT_FOUND: [s.failedPrecondition, 'etcdserver: role name not found'],
  ROLE_NOT_GRANTED: [s.failedPrecondition, 'etcdserver: role is not granted to the user'],
  PERMISSION_NOT_GRANTED: [
    s.failedPrecondition,
    'etcdserver: permission is not granted to the role',
  ],
  PERMISSION_DENIED: [s.permissionDenied, 'etcdserver: permission denied'],
  INVALID_AUTH_TOKEN: [s.unauthenticated, 'etcdserver: invalid auth token'],
  NO_LEADER: [s.unavailable, 'etcdserver: no leader'],
  LEADER_CHANGED: [s.unavailable, 'etcdserver: leader changed'],
  STOPPED: [s.unavailable, 'etcdserver: server stopped'],
  TIMEOUT: [s.unavailable, 'etcdserver: request timed out'],
  TIMEOUT_LEADER_FAILED: [
    s.unavailable,
    'etcdserver: request timed out, possibly due to previous leader failure',
  ],
  TIMEOUT_CONNECTION_LOST: [
    s.unavailable,
    'etcdserver: request timed out, possibly due to connection lost',
  ],
  UNHEALTHY: [s.unavailable, 'etcdserver: unhealthy cluster'],
  /** This member's own data is damaged: it stops. */
  CORRUPT: [s.dataLoss, 'etcdserver: corrupt cluster'],
  /** The alarm is raised: nothing is written. */
  CORRUPT_CLUSTER: [s.dataLoss, 'etcdserver: corrupt cluster'],
  WATCH_CANCELED: [s.canceled, 'etcdserver: watch canceled'],
  REQUEST_CANCELED: [s.canceled, 'etcdserver: request canceled'],
  LOCK_LOST: [s.unknown, 'mutex: session is expired'],
  ELECTION_NO_LEADER: [s.unknown, 'election: no leader'],
  ELECTION_NOT_LEADER: [s.unknown, 'election: not leader'],
  LEADER_KEY_MISSING: [s.unknown, '"leader" field must be provided'],
  UNIMPLEMENTED: [s.unimplemented, 'etcdserver: not implemented'],
  /** A request whose bytes are not the message they claim to be. */
  MALFORMED: [s.internal, 'etcdserver: malformed request'],
  /** The connection to the server was lost and the request may have been applied; only a client makes this one. */
  CONNECTION_LOST: [s.unavailable, 'balsa: connection lost, the request may have been applied'],
  /** The session ended before it was known whether the write was applied; only a client makes this one. */
  SESSION_LOST: [s.unavailable, 'balsa: the session ended, the write may have been applied'],
  /** The write was applied, once; what it answered is compacted or cannot be told from later writes; only a client makes this one. */
  RESULT_LOST: [s.outOfRange, 'balsa: the write was applied, its answer is lost'],
  /** The client side gave up (AbortSignal, close). */
  ABORTED: [s.canceled, 'balsa: request aborted'],
  INTERNAL: [s.unknown, 'etcdserver: internal error'],
}

/** The one error of the package. `message` is the wire text unless a more telling one is given. */
export class KvError extends Error {
  override readonly name = 'KvError'
  readonly code: KvErrorCode
  /** With COMPACTED: the oldest revision that can still be read. */
  readonly compactRevision: number | undefined

  constructor(
    code: KvErrorCode,
    options: { message?: string; cause?: unknown; compactRevision?: number } = {},
  ) {
    super(
      options.message ?? kvErrors[code][1],
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.compactRevision = options.compactRevision
  }

  get grpcStatus(): GrpcStatus {
    return kvErrors[this.code][0]
  }

  /** Normalizes anything caught. */
  static from(reason: unknown): KvError {
    if (reason instanceof KvError) return reason
    const message = reason instanceof Error ? reason.message : String(reason)
    return new KvError('INTERNAL', { message, cause: reason })
  }
}
