// Flags of etcd 3.4 to 3.7 that have another name by now, or no purpose any more, so that scripts that give them go on working.
import { refused, renamed, retired, type MemberFlag } from './flag-row.ts'
import { text, toggle } from './flag-type.ts'

const noDiscovery =
  'the discovery of etcd 2 is gone; use --discovery-endpoints and --discovery-token'

const many = (names: string): readonly string[] => names.trim().split(/\s+/)

/** etcd 3.4's way to ask for more lines. */
const debug: MemberFlag = {
  ...retired('debug', toggle),
  warning: 'is deprecated; use --log-level=debug',
  put: (word, { command }) => {
    const parsed = toggle.parse(word)
    if ('mustBe' in parsed) return parsed.mustBe
    if (parsed.value) command.logLevel = 'debug'
    return undefined
  },
}

export const retiredGroup: readonly MemberFlag[] = [
  ...many(`
    experimental-corrupt-check-time experimental-compact-hash-check-time
    experimental-compact-hash-check-enabled experimental-initial-corrupt-check
    experimental-compaction-batch-limit experimental-compaction-sleep-interval
    experimental-watch-progress-notify-interval experimental-warning-apply-duration
    experimental-warning-unary-request-duration experimental-max-learners
    experimental-bootstrap-defrag-threshold-megabytes experimental-snapshot-catchup-entries
    experimental-downgrade-check-time experimental-backend-bbolt-freelist-type
  `).map((name) => renamed(name, name.replace('experimental-', ''))),
  ...many(`
    enable-v2 memory-mlock experimental-memory-mlock
    experimental-enable-distributed-tracing
    enable-distributed-tracing experimental-peer-skip-client-san-verification
    peer-skip-client-san-verification experimental-txn-mode-write-with-shared-buffer
    experimental-stop-grpc-service-on-defrag disable-log-sampling discovery-insecure-skip-tls-verify
  `).map((name) => retired(name, toggle)),
  ...many(`
    v2-deprecation experimental-enable-v2v3 log-package-levels
    experimental-wait-cluster-ready-timeout discovery-fallback discovery-proxy
    discovery-request-timeout discovery-keepalive-time discovery-keepalive-timeout
    experimental-distributed-tracing-address experimental-distributed-tracing-service-name
    experimental-distributed-tracing-instance-id experimental-distributed-tracing-sampling-rate
    distributed-tracing-address distributed-tracing-service-name distributed-tracing-instance-id
    distributed-tracing-sampling-rate client-cert-file client-key-file peer-client-cert-file
    peer-client-key-file proxy-failure-wait proxy-refresh-interval proxy-dial-timeout
    proxy-write-timeout proxy-read-timeout
  `).map((name) => retired(name, text)),
  debug,
  refused('discovery', text, noDiscovery),
  refused('proxy', text, 'its proxy mode is gone; use gateway start or grpc-proxy start'),
  refused('ca-file', text, 'use --trusted-ca-file'),
  refused('peer-ca-file', text, 'use --peer-trusted-ca-file'),
]
