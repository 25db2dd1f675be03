// etcd's flags: which of them mean something to a member, which are taken with a warning, which are refused because to ignore them would
// be harm. One table; docs, help and parsing follow from it.

/** What a flag's value must look like. */
export type FlagValue = 'text' | 'number' | 'boolean' | 'urls'

export interface MemberFlag {
  readonly name: string
  readonly value: FlagValue
  /** `ignored`: taken, with a warning. `refused`: an error, because a member that went on without it would not be what was asked for. */
  readonly effect: 'used' | 'ignored' | 'refused'
  readonly text: string
}

const used = (name: string, value: FlagValue, text: string): MemberFlag => ({
  name,
  value,
  effect: 'used',
  text,
})

const usedFlags: readonly MemberFlag[] = [
  used('name', 'text', "this member's name (default)"),
  used('data-dir', 'text', 'where everything is kept (${name}.etcd)'),
  used('listen-client-urls', 'urls', 'where clients are served (http://localhost:2379)'),
  used('advertise-client-urls', 'urls', 'what clients are told (the listen URLs)'),
  used('listen-peer-urls', 'urls', 'where other members are heard (http://localhost:2380)'),
  used('initial-advertise-peer-urls', 'urls', 'what other members are told (the listen URLs)'),
  used('initial-cluster', 'text', 'NAME=URL of every first member, with commas (this one alone)'),
  used(
    'initial-cluster-state',
    'text',
    "'new', or 'existing' for a member that has its data (new)",
  ),
  used('peer-cert-file', 'text', "this member's certificate, shown to and by members (PEM)"),
  used('peer-key-file', 'text', 'its key'),
  used('peer-trusted-ca-file', 'text', 'who signs the certificates of members'),
  used('peer-client-cert-auth', 'boolean', 'members show certificates; always so with those files'),
  used('peer-cert-allowed-cn', 'text', 'the common name that certificates of members must have'),
  used('peer-cert-allowed-hostname', 'text', 'or the host name'),
  used('initial-cluster-token', 'text', 'tells clusters with the same URLs apart (etcd-cluster)'),
  used('heartbeat-interval', 'number', 'milliseconds (100)'),
  used('election-timeout', 'number', 'milliseconds (1000)'),
  used('snapshot-count', 'number', 'applied entries between two checkpoints (10000)'),
  used(
    'force-new-cluster',
    'boolean',
    'the other members are gone for good: says what is kept; =CLUSTER_ID goes on alone with it',
  ),
  used('log-level', 'text', 'debug, info, warn, error, panic or fatal (info)'),
]

const flags = (
  effect: 'ignored' | 'refused',
  value: FlagValue,
  text: string,
  names: string,
): MemberFlag[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ({ name, value, effect, text }))

const noEffect = 'no effect yet'
const ignoredFlags: readonly MemberFlag[] = [
  ...flags(
    'ignored',
    'boolean',
    noEffect,
    `strict-reconfig-check pre-vote initial-election-tick-advance enable-v2 enable-pprof debug
     socket-reuse-port socket-reuse-address unsafe-no-fsync enable-log-rotation memory-mlock
     experimental-initial-corrupt-check experimental-enable-v2v3 experimental-enable-lease-checkpoint
     experimental-enable-lease-checkpoint-persist experimental-enable-distributed-tracing
     experimental-peer-skip-client-san-verification experimental-memory-mlock
     experimental-txn-mode-write-with-shared-buffer experimental-stop-grpc-service-on-defrag
     experimental-compact-hash-check-enabled v2-deprecation`,
  ),
  ...flags(
    'ignored',
    'text',
    noEffect,
    `wal-dir max-snapshots max-wals quota-backend-bytes backend-batch-interval backend-batch-limit
     backend-bbolt-freelist-type max-txn-ops max-request-bytes max-concurrent-streams
     grpc-keepalive-min-time grpc-keepalive-interval grpc-keepalive-timeout
     auto-compaction-retention auto-compaction-mode cors host-whitelist bcrypt-cost auth-token-ttl
     metrics listen-metrics-urls listen-client-http-urls logger log-outputs log-format
     log-rotation-config-json log-package-levels snapshot-catchup-entries feature-gates
     watch-progress-notify-interval warning-apply-duration warning-unary-request-duration
     compaction-batch-limit compaction-sleep-interval corrupt-check-time compact-hash-check-time
     max-learners downgrade-check-time bootstrap-defrag-threshold-megabytes
     experimental-corrupt-check-time experimental-compact-hash-check-time
     experimental-backend-bbolt-freelist-type experimental-compaction-batch-limit
     experimental-compaction-sleep-interval experimental-watch-progress-notify-interval
     experimental-warning-apply-duration experimental-warning-unary-request-duration
     experimental-max-learners experimental-bootstrap-defrag-threshold-megabytes
     experimental-snapshot-catchup-entries experimental-downgrade-check-time
     experimental-wait-cluster-ready-timeout discovery-fallback proxy-failure-wait
     proxy-refresh-interval proxy-dial-timeout proxy-write-timeout proxy-read-timeout`,
  ),
]

const noTls = 'TLS is not served yet; put a TLS proxy in front and leave it out'
const onlyPeerFiles =
  'TLS between members takes --peer-cert-file, --peer-key-file and --peer-trusted-ca-file'
const noDiscovery = 'discovery is not there yet; name the members with --initial-cluster'
const refusedFlags: readonly MemberFlag[] = [
  ...flags(
    'refused',
    'text',
    noTls,
    `cert-file key-file trusted-ca-file client-crl-file client-cert-allowed-hostname cipher-suites
     tls-min-version tls-max-version ca-file`,
  ),
  ...flags('refused', 'text', onlyPeerFiles, 'peer-crl-file peer-ca-file'),
  ...flags('refused', 'boolean', noTls, 'client-cert-auth auto-tls'),
  ...flags('refused', 'boolean', onlyPeerFiles, 'peer-auto-tls'),
  ...flags(
    'refused',
    'text',
    noDiscovery,
    'discovery discovery-proxy discovery-srv discovery-srv-name discovery-endpoints discovery-token',
  ),
  ...flags(
    'refused',
    'text',
    'configuration files are not read yet; give flags or ETCD_ variables',
    'config-file',
  ),
  ...flags('refused', 'text', 'proxies are not there; leave it out', 'proxy'),
  ...flags('refused', 'text', 'users are not there yet; leave it out', 'auth-token'),
]

export const memberFlags: ReadonlyMap<string, MemberFlag> = new Map(
  [...usedFlags, ...ignoredFlags, ...refusedFlags].map((flag) => [flag.name, flag]),
)

/** What `balsa member --help` adds. */
export function memberFlagsHelp(): string {
  const lines = usedFlags.map(({ name, text }) => `  --${name.padEnd(28)} ${text}`)
  return [
    '',
    "Flags are etcd's, with one dash or two, and each can be given as a variable: --data-dir is ETCD_DATA_DIR.",
    ...lines,
    '',
    `Taken, with a warning that they have no effect yet: ${ignoredFlags.length} more flags of etcd.`,
    'Refused: those for TLS to clients, discovery and configuration files.',
  ].join('\n')
}
