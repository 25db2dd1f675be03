import { describe, expect, test } from 'vitest'
import { parseMemberFlags } from './parse-member-flags.ts'

test('without flags a member is what etcd is without flags', () => {
  expect(parseMemberFlags([], {})).toEqual({
    options: {
      name: 'default',
      dataDir: 'default.etcd',
      listenClientUrls: ['http://localhost:2379'],
      listenPeerUrls: ['http://localhost:2380'],
    },
    clusterState: 'new',
    logLevel: 'info',
    warnings: [],
  })
})

test('every flag that is used reaches its option', () => {
  const argv = [
    '--name=m1',
    '--data-dir=d',
    '--listen-client-urls=http://127.0.0.1:1,http://127.0.0.1:2',
    '--advertise-client-urls=http://a:1',
    '--listen-peer-urls=http://127.0.0.1:3',
    '--initial-advertise-peer-urls=http://a:3',
    '--initial-cluster=m1=http://a:3,m2=http://b:3',
    '--initial-cluster-state=existing',
    '--initial-cluster-token=t',
    '--heartbeat-interval=10',
    '--election-timeout=100',
    '--snapshot-count=5000',
    '--peer-cert-file=c.pem',
    '--peer-key-file=k.pem',
    '--peer-trusted-ca-file=ca.pem',
    '--peer-client-cert-auth',
    '--peer-cert-allowed-cn=member',
    '--log-level=warn',
  ]
  expect(parseMemberFlags(argv, {})).toEqual({
    options: {
      name: 'm1',
      dataDir: 'd',
      listenClientUrls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      advertiseClientUrls: ['http://a:1'],
      listenPeerUrls: ['http://127.0.0.1:3'],
      initialAdvertisePeerUrls: ['http://a:3'],
      initialCluster: 'm1=http://a:3,m2=http://b:3',
      initialClusterToken: 't',
      heartbeatIntervalMs: 10,
      electionTimeoutMs: 100,
      snapshotCount: 5000,
      peerTls: {
        certFile: 'c.pem',
        keyFile: 'k.pem',
        trustedCaFile: 'ca.pem',
        allowedNames: ['member'],
      },
    },
    clusterState: 'existing',
    logLevel: 'warn',
    warnings: [],
  })
})

test('a flag beats its variable, and the last of two flags wins', () => {
  const { options } = parseMemberFlags(['-name', 'a', '--name', 'b'], { ETCD_NAME: 'c' })
  expect(options.name).toBe('b')
  expect(parseMemberFlags([], { ETCD_NAME: 'c' }).options.dataDir).toBe('c.etcd')
})

test('flags without effect take their values, switches none, and each is warned of', () => {
  const argv = ['--quota-backend-bytes', '1000', '--pre-vote', '--strict-reconfig-check=false']
  expect(parseMemberFlags([...argv, '--name', 'x'], {})).toMatchObject({
    options: { name: 'x' },
    warnings: [
      '--quota-backend-bytes has no effect yet',
      '--pre-vote has no effect yet',
      '--strict-reconfig-check has no effect yet',
    ],
  })
})

test.each([
  [[], undefined],
  [['--force-new-cluster'], 'true'],
  [['--force-new-cluster=false'], undefined],
  [['--force-new-cluster=cdf818194e3a8c32'], 'cdf818194e3a8c32'],
])('a lost cluster is taken over as %j says: %s', (argv, forceNewCluster) => {
  expect(parseMemberFlags(argv, {}).forceNewCluster).toBe(forceNewCluster)
})

describe('what is refused, and how', () => {
  test.each([
    [['--data-dri', 'x'], {}, 'unknown flag --data-dri; see balsa member --help'],
    [
      ['--auto-tls'],
      {},
      '--auto-tls cannot be used: TLS is not served yet; put a TLS proxy in front and leave it out',
    ],
    [
      [],
      { ETCD_DISCOVERY: 'http://x' },
      'ETCD_DISCOVERY cannot be used: discovery is not there yet; name the members with --initial-cluster',
    ],
    [
      ['--listen-client-urls', 'https://a:1'],
      {},
      `--listen-client-urls has 'https://a:1': TLS is not served yet; use http`,
    ],
    [
      ['--peer-auto-tls'],
      {},
      '--peer-auto-tls cannot be used: TLS between members takes --peer-cert-file, --peer-key-file and --peer-trusted-ca-file',
    ],
    [
      ['--peer-cert-file', 'c.pem'],
      { ETCD_PEER_KEY_FILE: 'k.pem' },
      'ETCD_PEER_KEY_FILE also needs --peer-trusted-ca-file',
    ],
    [
      ['--peer-client-cert-auth'],
      {},
      '--peer-client-cert-auth also needs --peer-cert-file and --peer-key-file and --peer-trusted-ca-file',
    ],
    [['--snapshot-count', '0'], {}, `--snapshot-count is '0'; it must be a positive whole number`],
    [
      [],
      { ETCD_ELECTION_TIMEOUT: '1s' },
      `ETCD_ELECTION_TIMEOUT is '1s'; it must be a positive whole number`,
    ],
    [
      ['--log-level', 'loud'],
      {},
      `--log-level is 'loud'; it must be one of debug, info, warn, error, panic, fatal`,
    ],
  ])('%j %j', (argv, env, message) => {
    expect(() => parseMemberFlags(argv, env)).toThrow(message)
  })

  test('a switch for TLS that is off is no harm', () => {
    expect(parseMemberFlags(['--client-cert-auth=false'], {}).warnings).toEqual([])
  })
})
