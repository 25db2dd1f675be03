// `balsa up` as a server to measure: a process of its own, with fake nodes, its certificates read for the load generator.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { connectApi, type ApiConnection } from '../packages/orchestrator/src/client/connect-api.ts'
import { BalsaProcess } from '../test/balsa-process.ts'
import { freePorts } from '../test/free-ports.ts'
import type { HttpsTarget } from './load/https-connection.ts'

export interface UpServer extends AsyncDisposable {
  readonly target: HttpsTarget
  readonly api: ApiConnection
  /** From the start of the process until it said that it is up. */
  readonly readyMs: number
  /** As the process itself counts it: without the start of Node. */
  readonly upMs: number
  residentMegabytes(): number
}

/** Of an administrator, for generators that can show no certificate. */
export const adminToken = 'bench-admin-token'

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[]
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[]
}

/** Looked for as output comes, not now and then: the time is measured. */
const saidUp = (up: BalsaProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    up.child.stdout?.on('data', () => {
      if (up.stdout.includes('balsa is up')) resolve()
    })
    void up.exited.then((code) => reject(new Error(`balsa ended with ${code}: ${up.stderr}`)))
  })

/** A folder for the data of several starts. */
export function dataFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'balsa-up-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export async function startUp(dataDir: string, fakeNodes: number): Promise<UpServer> {
  const [client = 0, peer = 0, port = 0] = await freePorts(3)
  const tokens = join(dataDir, 'tokens.csv')
  writeFileSync(tokens, `${adminToken},bench,bench,"system:masters"\n`, { mode: 0o600 })
  const startedAt = performance.now()
  const up = new BalsaProcess([
    'up',
    '--agents=0',
    `--fake-nodes=${fakeNodes}`,
    `--data-dir=${dataDir}`,
    `--token-auth-file=${tokens}`,
    `--client-url=http://127.0.0.1:${client}`,
    `--peer-url=http://127.0.0.1:${peer}`,
    `--api-url=https://127.0.0.1:${port}`,
  ])
  await saidUp(up)
  const readyMs = performance.now() - startedAt
  const kubeconfig = join(dataDir, 'kubeconfig')
  // Written by the server that was just started.
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const decoded = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
  const user = config.users[0]?.user
  const api = connectApi({ kubeconfig })
  return {
    target: {
      host: '127.0.0.1',
      port,
      ca: decoded(config.clusters[0]?.cluster['certificate-authority-data']),
      cert: decoded(user?.['client-certificate-data']),
      key: decoded(user?.['client-key-data']),
    },
    api,
    readyMs,
    upMs: Number(/after ([\d.]+) s/.exec(up.stdout)?.[1] ?? 0) * 1000,
    residentMegabytes: () => {
      const status = readFileSync(`/proc/${up.child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000
    },
    [Symbol.asyncDispose]: async () => {
      api.close()
      await up.stop()
    },
  }
}
