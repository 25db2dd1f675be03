// A Balsa member of one in this process, on a real disk and with its client port open, for tests with other programs' clients.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember } from '@balsa/kv'
import { TestAuthority } from '../packages/raft/src/transport/testing/test-authority.ts'
import { freePorts } from './free-ports.ts'

export interface BalsaMember extends AsyncDisposable {
  readonly url: string
}

/** Without a peer port no member could be added. */
async function freePeerUrls(): Promise<string[]> {
  return (await freePorts(1)).map((port) => `http://127.0.0.1:${port}`)
}

export async function openBalsaMember(): Promise<BalsaMember> {
  const dataDir = mkdtempSync(join(tmpdir(), 'balsa-member-'))
  const member = await openMember({
    dataDir,
    listenClientUrls: ['http://127.0.0.1:0'],
    listenPeerUrls: await freePeerUrls(),
  })
  return {
    url: member.clientUrls[0] ?? '',
    [Symbol.asyncDispose]: async () => {
      await member.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export interface TlsBalsaMember extends BalsaMember {
  /** PEM of the authority that signed the member's certificate. */
  readonly ca: string
  /** A certificate of that authority for clients, which the member asks for. */
  readonly client: { readonly cert: string; readonly key: string }
}

/** The same behind TLS, with certificates on both sides. */
export async function openTlsBalsaMember(): Promise<TlsBalsaMember> {
  const dataDir = mkdtempSync(join(tmpdir(), 'balsa-member-'))
  const authority = await TestAuthority.create()
  const server = await authority.sign({ commonName: 'server' })
  const path = (name: string): string => join(dataDir, name)
  writeFileSync(path('cert.pem'), server.cert)
  writeFileSync(path('key.pem'), server.key, { mode: 0o600 })
  writeFileSync(path('ca.pem'), authority.ca)
  const member = await openMember({
    dataDir: path('data'),
    listenClientUrls: ['https://127.0.0.1:0'],
    listenPeerUrls: await freePeerUrls(),
    clientTls: {
      certFile: path('cert.pem'),
      keyFile: path('key.pem'),
      trustedCaFile: path('ca.pem'),
      clientCertAuth: true,
    },
  })
  return {
    url: member.clientUrls[0] ?? '',
    ca: authority.ca,
    client: await authority.sign({ commonName: 'client' }),
    [Symbol.asyncDispose]: async () => {
      await member.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
