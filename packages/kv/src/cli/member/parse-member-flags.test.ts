import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, tools } from '../../../../../test/tools.ts'
import { duration } from './flags/flag-type.ts'
import { logRotationDefault } from './flags/operation-group.ts'
import { memberFlagRows, memberFlags, memberFlagsHelp } from './member-flags.ts'
import { parseMemberFlags } from './parse-member-flags.ts'

test('without flags a member is what etcd is without flags', () => {
  expect(parseMemberFlags([], {})).toEqual({
    options: {
      name: 'default',
      dataDir: 'default.etcd',
      listenClientUrls: ['http://localhost:2379'],
      listenPeerUrls: ['http://localhost:2380'],
    },
    discovery: {},
    logLevel: 'info',
    logFormat: 'json',
    logOutputs: ['default'],
    enableLogRotation: false,
    logRotationConfig: logRotationDefault,
    warnings: [],
  })
})

test('every flag that is used reaches its option', () => {
  const argv = [
    '--name=m1',
    '--data-dir=d',
    '--wal-dir=w',
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
    '--peer-crl-file=pcrl.pem',
    '--peer-auto-tls=false',
    '--peer-cert-allowed-cn=member',
    '--log-level=warn',
    '--discovery-endpoints=http://d:1',
    '--discovery-token=t',
    '--discovery-srv=x',
    '--log-format=console',
    '--log-outputs=stdout,x.log',
    '--logger=zap',
    '--enable-log-rotation',
    '--log-rotation-config-json={}',
    '--cert-file=s.pem',
    '--key-file=sk.pem',
    '--trusted-ca-file=sca.pem',
    '--client-cert-auth',
    '--client-crl-file=crl.pem',
    '--client-cert-allowed-cn=a,b',
    '--client-cert-allowed-hostname=h',
    '--cipher-suites=TLS_A,TLS_B',
    '--tls-min-version=TLS1.3',
    '--tls-max-version=TLS1.3',
    '--auto-tls',
    '--self-signed-cert-validity=2',
    '--listen-client-http-urls=http://127.0.0.1:4',
    '--listen-metrics-urls=http://127.0.0.1:5,http://127.0.0.1:6',
    '--cors=http://x',
    '--host-whitelist=x,y',
    '--enable-grpc-gateway=false',
    '--max-txn-ops=256',
    '--max-request-bytes=2000000',
    '--max-concurrent-streams=4294967295',
    '--grpc-keepalive-min-time=1s',
    '--grpc-keepalive-interval=1m30s',
    '--grpc-keepalive-timeout=500ms',
  ]
  expect(parseMemberFlags(argv, {})).toEqual({
    options: {
      name: 'm1',
      dataDir: 'd',
      walDir: 'w',
      listenClientUrls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      advertiseClientUrls: ['http://a:1'],
      listenPeerUrls: ['http://127.0.0.1:3'],
      initialAdvertisePeerUrls: ['http://a:3'],
      initialCluster: 'm1=http://a:3,m2=http://b:3',
      initialClusterToken: 't',
      initialClusterState: 'existing',
      heartbeatIntervalMs: 10,
      electionTimeoutMs: 100,
      snapshotCount: 5000,
      clientTls: {
        certFile: 's.pem',
        keyFile: 'sk.pem',
        trustedCaFile: 'sca.pem',
        clientCertAuth: true,
        crlFile: 'crl.pem',
        allowedCommonNames: ['a', 'b'],
        allowedHostnames: ['h'],
        cipherSuites: ['TLS_A', 'TLS_B'],
        minVersion: 'TLS1.3',
        maxVersion: 'TLS1.3',
      },
      clientAutoTls: true,
      selfSignedCertValidityYears: 2,
      listenClientHttpUrls: ['http://127.0.0.1:4'],
      listenMetricsUrls: ['http://127.0.0.1:5', 'http://127.0.0.1:6'],
      cors: ['http://x'],
      hostWhitelist: ['x', 'y'],
      enableGrpcGateway: false,
      maxTxnOps: 256,
      maxRequestBytes: 2_000_000,
      maxConcurrentStreams: 4_294_967_295,
      grpcKeepaliveMinTimeMs: 1000,
      grpcKeepaliveIntervalMs: 90_000,
      grpcKeepaliveTimeoutMs: 500,
      peerTls: {
        certFile: 'c.pem',
        keyFile: 'k.pem',
        trustedCaFile: 'ca.pem',
        clientCertAuth: true,
        crlFile: 'pcrl.pem',
        allowedNames: ['member'],
        cipherSuites: ['TLS_A', 'TLS_B'],
        minVersion: 'TLS1.3',
        maxVersion: 'TLS1.3',
      },
      peerAutoTls: false,
    },
    discovery: { endpoints: ['http://d:1'], token: 't', srvDomain: 'x' },
    logLevel: 'warn',
    logFormat: 'console',
    logOutputs: ['stdout', 'x.log'],
    enableLogRotation: true,
    logRotationConfig: '{}',
    warnings: [],
  })
})

test("a flag beats its variable with etcd's warning, and the last of two flags wins", () => {
  const { options, warnings } = parseMemberFlags(['-name', 'a', '--name', 'b'], { ETCD_NAME: 'c' })
  expect(options.name).toBe('b')
  expect(warnings).toEqual([
    'conflicting environment variable "ETCD_NAME" is shadowed by corresponding command-line flag (either unset environment variable or disable flag)',
  ])
  expect(parseMemberFlags([], { ETCD_NAME: 'c' }).options.dataDir).toBe('c.etcd')
  expect(parseMemberFlags([], { ETCD_FOO: '1', ETCD_NAME: '' })).toMatchObject({
    options: { name: 'default' },
    warnings: ['unrecognized environment variable ETCD_FOO=1'],
  })
})

test('flags without effect and of older versions take their values, switches none, and each is warned of once', () => {
  const harmless = ['--max-wals=5', '--pre-vote', '--proxy=off', '--logger=zap']
  expect(parseMemberFlags(harmless, {}).warnings).toEqual([])
  const argv = ['--max-wals', '4', '--enable-v2', '--experimental-compaction-batch-limit', '10']
  expect(parseMemberFlags([...argv, '--name', 'x'], {})).toMatchObject({
    options: { name: 'x' },
    warnings: [
      '--max-wals has no effect',
      '--enable-v2 is deprecated and has no effect',
      '--experimental-compaction-batch-limit is deprecated; use --compaction-batch-limit',
    ],
  })
})

describe('a configuration file', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-config-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const write = (text: string): string => {
    const path = join(folder, 'etcd.conf.yml')
    writeFileSync(path, text)
    return path
  }

  test('stands for all flags and variables, with sections for TLS', () => {
    const path = write(`
name: f
data-dir:
heartbeat-interval: 20
listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2
client-transport-security:
  auto-tls: true
  client-cert-auth: false
peer-transport-security:
  cert-file: c.pem
  key-file: k.pem
  client-cert-auth: true
  trusted-ca-file: ca.pem
  allowed-cn: [a, b]
no-such-key: 1
`)
    const settings = parseMemberFlags(['--config-file', path, '--name=x'], { ETCD_NAME: 'y' })
    expect(settings.options).toMatchObject({
      name: 'f',
      dataDir: 'f.etcd',
      heartbeatIntervalMs: 20,
      listenClientUrls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      clientAutoTls: true,
      clientTls: { clientCertAuth: false },
      peerTls: { certFile: 'c.pem', keyFile: 'k.pem', trustedCaFile: 'ca.pem' },
    })
    expect(settings.options.peerTls?.allowedNames).toEqual(['a', 'b'])
    expect(settings.warnings).toEqual([
      `Loading server configuration from "${path}". Other configuration command line flags and environment variables will be ignored if provided.`,
      `no-such-key of ${path} is not a key of etcd and has no effect`,
    ])
    expect(parseMemberFlags([], { ETCD_CONFIG_FILE: path }).options.name).toBe('f')
  })

  test.each([
    ['heartbeat-interval: soon', "heartbeat-interval of .* is 'soon'; it must be a positive whole"],
    ['- a', 'must hold keys and values'],
    ['a: [', 'error verifying flags, '],
  ])('%j is refused', (text, message) => {
    expect(() => parseMemberFlags([`--config-file=${write(text)}`], {})).toThrow(
      new RegExp(message),
    )
  })

  test('that is not there is refused', () => {
    expect(() => parseMemberFlags(['--config-file', join(folder, 'none')], {})).toThrow('ENOENT')
  })
})

test.each([
  ['1h30m', 5_400_000],
  ['500ms', 500],
  ['1.5s', 1500],
  ['0', 0],
  ['600000000000', 600_000],
])("the duration '%s' is %d ms", (text, value) => {
  expect(duration.parse(text)).toEqual({ value })
})

test.skipIf(missing('etcd'))('every flag of real etcd is one of ours', () => {
  const help = spawnSync(tools.etcd ?? '', ['--help'], { encoding: 'utf8' })
  const names = [...`${help.stdout}${help.stderr}`.matchAll(/^ {2}--([a-z0-9-]+) /gm)]
  expect(names.length).toBeGreaterThan(70)
  const unknown = names.map(([, name = '']) => name).filter((name) => !memberFlags.has(name))
  // These two are not settings of a member, but what the command does.
  const commands = ['version', 'config-file']
  expect(unknown.filter((name) => !commands.includes(name))).toEqual([])
})

test('features that were flags are options under their new names too', () => {
  const gates = 'InitialCorruptCheck=true,CompactHashCheck=false,FastLeaseKeepAlive=true'
  expect(parseMemberFlags([`--feature-gates=${gates}`], {})).toMatchObject({
    options: { initialCorruptCheck: true, compactHashCheckEnabled: false },
    warnings: [],
  })
  for (const wrong of ['Nothing=true', 'InitialCorruptCheck', 'InitialCorruptCheck=maybe']) {
    expect(() => parseMemberFlags(['--feature-gates', wrong], {})).toThrow(
      `--feature-gates is '${wrong}'; it must be NAME=true or NAME=false of InitialCorruptCheck, `,
    )
  }
})

test('--debug is the log level that etcd 3.4 meant', () => {
  expect(parseMemberFlags(['--debug'], {}).logLevel).toBe('debug')
  expect(parseMemberFlags(['--debug=false'], {}).logLevel).toBe('info')
})

test('no flag has two rows, and every new name is one', () => {
  expect(memberFlags.size).toBe(memberFlagRows.length)
  for (const { newName } of memberFlagRows) {
    if (newName !== undefined) expect(memberFlags.has(newName)).toBe(true)
  }
  expect(memberFlagsHelp()).toContain("\nMember:\n  --name 'default'\n")
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
    [['--data-dri', 'x'], {}, 'flag provided but not defined: -data-dri'],
    [['run'], {}, "error verifying flags, 'run' is not a valid flag. See 'etcd --help'."],
    [['--name'], {}, 'flag needs an argument: -name'],
    [
      ['--tls-min-version', 'TLS1.1'],
      {},
      `--tls-min-version is 'TLS1.1'; it must be one of TLS1.2, TLS1.3`,
    ],
    [
      [],
      { ETCD_DISCOVERY: 'http://x' },
      'ETCD_DISCOVERY cannot be used: the discovery of etcd 2 is gone; use --discovery-endpoints and --discovery-token',
    ],
    [
      ['--listen-client-urls', 'http://a'],
      {},
      `--listen-client-urls is 'http://a'; it must be URLs like http://127.0.0.1:2379`,
    ],
    [
      ['--peer-trusted-ca-file', 'c.pem'],
      { ETCD_PEER_KEY_FILE: 'k.pem' },
      '--peer-trusted-ca-file also needs --peer-cert-file',
    ],
    [
      ['--peer-client-cert-auth'],
      {},
      '--peer-client-cert-auth also needs --peer-cert-file and --peer-key-file',
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
