import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestAuthority } from '../../../raft/src/transport/testing/test-authority.ts'
import { freePorts } from '../../../../test/free-ports.ts'
import { waitFor } from '../api/testing/wait-for.ts'
import { openMember, type Member } from './open-member.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-peers-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The subject of the certificate that a port shows. */
function subjectAt(port: number, options: ConnectionOptions = {}): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port, rejectUnauthorized: false, ...options }
    const socket = connect(to, () => {
      resolve(socket.getPeerX509Certificate()?.subject)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

async function writeFiles(
  authority: TestAuthority,
  commonName: string,
): Promise<{ certFile: string; keyFile: string }> {
  const { cert, key } = await authority.sign({ commonName })
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
  return { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
}

test('members with certificates of their own making agree, each on two peer URLs', async () => {
  const ports = await freePorts(6)
  const urlsOf = (i: number): string[] => [0, 1].map((j) => `https://127.0.0.1:${ports[2 * i + j]}`)
  const names = ['a', 'b', 'c']
  const initialCluster = names
    .flatMap((name, i) => urlsOf(i).map((url) => `${name}=${url}`))
    .join(',')
  const members: Member[] = []
  for (const [i, name] of names.entries()) {
    const listenPeerUrls = urlsOf(i)
    const dataDir = join(folder, name)
    const options = { name, dataDir, listenPeerUrls, initialCluster, peerAutoTls: true }
    members.push(await openMember(options))
  }
  try {
    await Promise.all(members.map((member) => member.ready()))
    await members[0]?.kv.put('a', 'b')
    expect((await members[2]?.kv.get('a'))?.value).toEqual(new Uint8Array([98]))
    for (const port of ports) expect(await subjectAt(port)).toBe('O=balsa')
  } finally {
    for (const member of members) await member.close()
  }
})

test('renewed files are shown on the peer port without a restart, and strangers stay out', async () => {
  const authority = await TestAuthority.create()
  const trustedCaFile = join(folder, 'ca.pem')
  writeFileSync(trustedCaFile, authority.ca)
  const [port = 0] = await freePorts(1)
  const files = await writeFiles(authority, 'before')
  const warnings: string[] = []
  await using member = await openMember({
    memory: true,
    listenPeerUrls: [`https://127.0.0.1:${port}`],
    peerTls: { ...files, trustedCaFile, minVersion: 'TLS1.3' },
    onWarning: (message) => warnings.push(message),
  })
  expect(member.clientUrls).toEqual([])
  expect(await subjectAt(port)).toBe('CN=before')
  await writeFiles(authority, 'after')
  await waitFor(async () => expect(await subjectAt(port)).toBe('CN=after'))
  await expect(subjectAt(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
  const stranger = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  stranger.on('error', () => stranger.destroy())
  stranger.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await waitFor(() => expect(warnings).toContain('A peer at 127.0.0.1 shows no certificate'))
  stranger.destroy()
})

test('without an authority only who listens shows a certificate', async () => {
  const authority = await TestAuthority.create()
  const [port = 0] = await freePorts(1)
  const warnings: string[] = []
  await using member = await openMember({
    memory: true,
    listenPeerUrls: [`https://127.0.0.1:${port}`],
    peerTls: await writeFiles(authority, 'alone'),
    onWarning: (message) => warnings.push(message),
  })
  const response = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.ca }, () => {
      socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    })
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    socket.on('error', reject)
  })
  expect(response).toContain('404')
  expect([member.name, warnings]).toEqual(['default', []])
})

test('URLs and files that do not go together are refused', async () => {
  const listenPeerUrls = ['https://127.0.0.1:0']
  await expect(openMember({ memory: true, listenPeerUrls })).rejects.toThrow(
    "--listen-peer-urls has 'https://127.0.0.1:0', but --peer-cert-file and --peer-key-file, or --peer-auto-tls, are missing",
  )
  await expect(openMember({ memory: true, listenPeerUrls, peerAutoTls: true })).rejects.toThrow(
    '--peer-auto-tls needs a --data-dir',
  )
})
