// Three `balsa member` processes behind mutual TLS, with etcd's flags: the cluster works, questions to the leader too, and nobody without a
// certificate of its authority gets in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestAuthority } from '../packages/raft/src/transport/testing/test-authority.ts'
import { BalsaProcess, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-peer-tls-'))
})
afterAll(async () => {
  await stopBalsaProcesses()
  rmSync(folder, { recursive: true, force: true })
})

async function writeCertificate(
  authority: TestAuthority,
  name: string,
  commonName: string,
): Promise<string[]> {
  const { cert, key } = await authority.sign({ commonName })
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'cert.pem'), cert)
  writeFileSync(join(path, 'key.pem'), key, { mode: 0o600 })
  writeFileSync(join(path, 'ca.pem'), authority.ca)
  return [
    `--peer-cert-file=${join(path, 'cert.pem')}`,
    `--peer-key-file=${join(path, 'key.pem')}`,
    `--peer-trusted-ca-file=${join(path, 'ca.pem')}`,
    '--peer-client-cert-auth',
    '--peer-cert-allowed-cn=balsa-member',
  ]
}

test('three members agree over TLS, ask the leader over TLS, and refuse a member with another name', async () => {
  const authority = await TestAuthority.create()
  const names = ['m1', 'm2', 'm3']
  const ports = await freePorts(6)
  const peerUrl = (i: number): string => `https://127.0.0.1:${ports[3 + i]}`
  const clientUrl = (i: number): string => `http://127.0.0.1:${ports[i]}`
  const initialCluster = names.map((name, i) => `${name}=${peerUrl(i)}`).join(',')
  const start = async (i: number, commonName: string, run: string): Promise<BalsaProcess> => {
    const name = names[i] ?? ''
    const files = await writeCertificate(authority, run, commonName)
    return new BalsaProcess([
      'member',
      `--name=${name}`,
      `--data-dir=${join(folder, `${run}.data`)}`,
      `--listen-client-urls=${clientUrl(i)}`,
      `--listen-peer-urls=${peerUrl(i)}`,
      `--initial-cluster=${initialCluster}`,
      ...files,
    ])
  }
  const first = await start(0, 'balsa-member', 'm1')
  const second = await start(1, 'balsa-member', 'm2')
  const stranger = await start(2, 'somebody', 'stranger')
  await first.ready('ready to serve client requests')
  await second.ready('ready to serve client requests')
  await waitFor('the refusal of the stranger', () =>
    first.stderr.includes('names somebody, 127.0.0.1, localhost, wanted balsa-member'),
  )
  expect(stranger.stderr).not.toContain('ready to serve')
  await stranger.stop('SIGKILL')
  const third = await start(2, 'balsa-member', 'm3')
  await third.ready('ready to serve client requests')

  const at = (i: number): string[] => ['--endpoints', clientUrl(i)]
  expect((await runBalsa(['kv', 'put', 'a', 'over TLS', ...at(0)])).stdout).toBe('OK\n')
  for (const i of [1, 2]) {
    expect((await runBalsa(['kv', 'get', 'a', ...at(i)])).stdout).toBe('a\nover TLS\n')
  }
  // Leases are renewed by the leader: two of the three members have to ask it.
  const granted = await post(clientUrl(0), '/v3/lease/grant', { TTL: 60 })
  for (const i of [0, 1, 2]) {
    const left = await post(clientUrl(i), '/v3/lease/timetolive', { ID: granted['ID'] })
    expect(left, `member ${i + 1}`).toMatchObject({ ID: granted['ID'], grantedTTL: '60' })
  }
  const refused = await withoutCertificate(`${peerUrl(0)}/balsa/lease`, authority.ca)
  expect(refused).toBe(412)
  await waitFor('the warning', () => first.stderr.includes('shows no certificate'))
})

async function post(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })
  return (await answer.json()) as Record<string, unknown>
}

function withoutCertificate(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { ca, method: 'POST' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end('{}')
  })
}

test('a member says what is missing or unreadable before it starts', async () => {
  const failure = async (argv: string[]): Promise<string> => {
    const { code, stderr } = await runBalsa(['member', `--data-dir=${join(folder, 'x')}`, ...argv])
    expect(code).toBe(1)
    return stderr
  }
  const [port] = await freePorts(1)
  const https = `--listen-peer-urls=https://127.0.0.1:${port}`
  expect(await failure([https])).toContain('but --peer-cert-file and --peer-key-file')
  const missing = ['cert', 'key', 'trusted-ca'].map((name) => `--peer-${name}-file=${folder}/none`)
  expect(await failure([https, ...missing])).toContain(
    `--peer-cert-file '${folder}/none' cannot be read; name a PEM file`,
  )
  const authority = await TestAuthority.create()
  const files = await writeCertificate(authority, 'plain', 'balsa-member')
  expect(await failure([`--listen-peer-urls=http://127.0.0.1:${port}`, ...files])).toContain(
    'with --peer-cert-file or --peer-auto-tls it must begin with https',
  )
})
