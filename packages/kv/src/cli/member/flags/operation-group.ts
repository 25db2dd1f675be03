// Flags of etcd's groups "Profiling and Monitoring", "Logging", "Features" and "Unsafe feature".
import { logLevels } from './command-settings.ts'
import { featureGates } from './feature-gates.ts'
import { command, inert, option, silent, type MemberFlag } from './flag-row.ts'
import {
  confirmation,
  count,
  duration,
  list,
  oneOf,
  positive,
  text,
  toggle,
  urls,
} from './flag-type.ts'

export const logRotationDefault =
  '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}'

export const monitoringGroup: readonly MemberFlag[] = [
  inert('enable-pprof', toggle, 'false', 'Profiles of Go over HTTP.'),
  inert('metrics', oneOf('basic', 'extensive'), 'basic', 'Histograms of calls too.'),
  option(
    'listen-metrics-urls',
    'listenMetricsUrls',
    urls,
    '',
    'Where /metrics and /health are served too, with commas; https as for clients.',
  ),
]

export const loggingGroup: readonly MemberFlag[] = [
  silent('logger', oneOf('zap', 'capnslog'), 'zap', 'Log lines are JSON objects.'),
  command(
    'log-outputs',
    'logOutputs',
    list,
    'default',
    "'stderr', 'stdout' or files, with commas.",
  ),
  command('log-level', 'logLevel', oneOf(...logLevels), 'info', 'The lowest level that is shown.'),
  command(
    'log-format',
    'logFormat',
    oneOf('json', 'console'),
    'json',
    'JSON objects, or lines for people.',
  ),
  command(
    'enable-log-rotation',
    'enableLogRotation',
    toggle,
    'false',
    'Start a new log file when one is full.',
  ),
  command(
    'log-rotation-config-json',
    'logRotationConfig',
    text,
    logRotationDefault,
    'When a log file is full, and how many and how long old ones are kept.',
  ),
]

export const featureGroup: readonly MemberFlag[] = [
  option(
    'corrupt-check-time',
    'corruptCheckTimeMs',
    duration,
    '0s',
    'How often the leader compares the data of all members; 0 for never.',
  ),
  option(
    'initial-corrupt-check',
    'initialCorruptCheck',
    toggle,
    'false',
    'Compare the data with that of the others before serving.',
  ),
  option(
    'corrupt-repair',
    'corruptRepair',
    toggle,
    'false',
    'A member whose data differs stops, and takes that of the others when it is started again.',
  ),
  option(
    'compact-hash-check-enabled',
    'compactHashCheckEnabled',
    toggle,
    'false',
    'The leader also compares what every compaction left.',
  ),
  option(
    'compact-hash-check-time',
    'compactHashCheckTimeMs',
    duration,
    '1m',
    'How often it looks for a compaction to compare.',
  ),
  inert('compaction-batch-limit', count, '1000', 'Revisions that one step of a compaction drops.'),
  inert('compaction-sleep-interval', duration, '10ms', 'The pause between two steps.'),
  option(
    'watch-progress-notify-interval',
    'watchProgressNotifyIntervalMs',
    duration,
    '10m',
    'How often quiet watches hear of it.',
  ),
  inert('warning-apply-duration', duration, '100ms', 'From when on applying counts as slow.'),
  inert('warning-unary-request-duration', duration, '300ms', 'From when on a request is slow.'),
  inert('snapshot-catchup-entries', count, '5000', 'Entries kept for members that are behind.'),
  inert('bootstrap-defrag-threshold-megabytes', count, '0', 'Defragment at the start.'),
  inert('downgrade-check-time', duration, '5s', 'How often a downgrade is looked at.'),
  option(
    'lease-revoke-rate',
    'leaseRevokesPerSecond',
    positive,
    '1000',
    'Expired leases that are revoked per second, at most.',
  ),
  option(
    'experimental-enable-lease-checkpoint',
    'leaseCheckpoints',
    toggle,
    'true',
    'Long leases go on after a change of the leader where they were.',
  ),
  silent(
    'experimental-enable-lease-checkpoint-persist',
    toggle,
    'true',
    'What is left of leases is always kept on disk.',
  ),
  featureGates,
]

export const unsafeGroup: readonly MemberFlag[] = [
  command(
    'force-new-cluster',
    'forceNewCluster',
    confirmation,
    'false',
    'The other members are gone for good: says what is kept; =CLUSTER_ID goes on alone with it.',
  ),
  inert('unsafe-no-fsync', toggle, 'false', 'Do not sync the disk, and lose data in a crash.'),
]
