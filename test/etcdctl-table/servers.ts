// Etcd and Balsa in one mode, each with a folder of its own and the flags that etcdctl needs to reach it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestAuthority } from '../../packages/raft/src/transport/testing/test-authority.ts'
import { openBalsaMember, openTlsBalsaMember } from '../balsa-member.ts'
import { startEtcd } from '../etcd-process.ts'
import type { Mode } from './command-line.ts'
import { runEtcdctl } from './run-etcdctl.ts'

export interface Server extends AsyncDisposable {
  readonly name: 'etcd' | 'Balsa'
  /** Flags that etcdctl needs to reach it, without dashes. */
  readonly flags: ReadonlyMap<string, string>
  /** What `{name}` in a command line stands for. */
  readonly facts: Map<string, string>
}

interface Opened extends AsyncDisposable {
  readonly url: string
}
interface Certificates {
  readonly ca: string
  readonly client: { readonly cert: string; readonly key: string }
}

async function openEtcd(mode: Mode, dir: string): Promise<Opened & Partial<Certificates>> {
  if (mode !== 'tls') return startEtcd()
  const authority = await TestAuthority.create()
  const server = await authority.sign({ commonName: 'server' })
  const files = { certFile: join(dir, 'server.pem'), keyFile: join(dir, 'server-key.pem') }
  const trustedCaFile = join(dir, 'server-ca.pem')
  writeFileSync(files.certFile, server.cert)
  writeFileSync(files.keyFile, server.key, { mode: 0o600 })
  writeFileSync(trustedCaFile, authority.ca)
  const etcd = await startEtcd({ clientTls: { ...files, trustedCaFile } })
  const client = await authority.sign({ commonName: 'client' })
  return { ...etcd, ca: authority.ca, client }
}

async function open(name: Server['name'], mode: Mode): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'balsa-etcdctl-'))
  const balsa = mode === 'tls' ? openTlsBalsaMember : openBalsaMember
  const opened: Opened & Partial<Certificates> = await (name === 'etcd'
    ? openEtcd(mode, dir)
    : balsa())
  const facts = new Map([
    ['dir', dir],
    ['url', opened.url],
    ['host', new URL(opened.url).host],
  ])
  const flags = new Map([['endpoints', opened.url]])
  if (opened.ca !== undefined && opened.client !== undefined) {
    const { cert, key } = opened.client
    for (const [fact, text] of Object.entries({ cacert: opened.ca, cert, key })) {
      const path = join(dir, `${fact}.pem`)
      writeFileSync(path, text, { mode: 0o600 })
      facts.set(fact, path)
      flags.set(fact, path)
    }
  }
  const given = [...flags].map(([flag, value]) => `--${flag}=${value}`)
  const list = await runEtcdctl([...given, 'member', 'list'])
  facts.set('self', /^[0-9a-f]+/.exec(list.stdout)?.[0] ?? '')
  return {
    name,
    flags,
    facts,
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Etcd first. */
export function openServers(mode: Mode): Promise<[Server, Server]> {
  return Promise.all([open('etcd', mode), open('Balsa', mode)])
}
