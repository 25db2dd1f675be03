// A real etcd of one member, beside which Balsa is judged.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { tools } from './tools.ts'

export interface EtcdProcess extends AsyncDisposable {
  readonly url: string
}

const readyTimeoutMs = 20_000
const pollMs = 50

/** Starts etcd on free ports with a data folder of its own, or one that is there already; it is gone when etcd is disposed. */
export async function startEtcd(
  restored: {
    readonly dataDir?: string
    readonly peerUrl?: string
    /** Files: clients must show a certificate of this authority. */
    readonly clientTls?: { certFile: string; keyFile: string; trustedCaFile: string }
  } = {},
): Promise<EtcdProcess> {
  const dataDir = restored.dataDir ?? mkdtempSync(join(tmpdir(), 'balsa-etcd-'))
  const [clientPort, peerPort, plainPort] = await freePorts(3)
  const { clientTls } = restored
  const url = `${clientTls === undefined ? 'http' : 'https'}://127.0.0.1:${clientPort}`
  // Beside TLS for this file alone, which asks whether etcd is ready.
  const plainUrl = clientTls === undefined ? url : `http://127.0.0.1:${plainPort}`
  const peerUrl = restored.peerUrl ?? `http://127.0.0.1:${peerPort}`
  const flags = {
    'data-dir': dataDir,
    name: 'default',
    'listen-client-urls': [...new Set([url, plainUrl])].join(','),
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    ...(clientTls !== undefined && {
      'cert-file': clientTls.certFile,
      'key-file': clientTls.keyFile,
      'trusted-ca-file': clientTls.trustedCaFile,
      'client-cert-auth': 'true',
    }),
  }
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const child = spawn(tools.etcd ?? 'etcd', args, { stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    rmSync(dataDir, { recursive: true, force: true })
  }
  const deadline = Date.now() + readyTimeoutMs
  while (!(await isReady(plainUrl))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`etcd did not become ready on ${url}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return { url, [Symbol.asyncDispose]: stop }
}

/** Has a leader; /health would wait for the end of alarms too. */
async function isReady(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' })
    return reply.ok && ((await reply.json()) as { leader?: string }).leader !== undefined
  } catch (reason) {
    if (reason instanceof TypeError) return false
    throw reason
  }
}
