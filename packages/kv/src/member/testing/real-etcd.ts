// Debian's etcd as the oracle of differential tests: one member on free ports of the loopback, in a folder of its own.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = '/usr/bin/etcd'
const startMsMax = 20_000
const pollMs = 50

export const hasRealEtcd: boolean = existsSync(program)

export interface RealEtcd {
  readonly url: string
  stop(): Promise<void>
}

export async function startRealEtcd(): Promise<RealEtcd> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-etcd-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const peerUrl = `http://127.0.0.1:${await freePort()}`
  const flags = {
    'data-dir': directory,
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
  }
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const child = spawn(program, args, { stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await waitUntilHealthy(url)
  } catch (reason) {
    await stop()
    throw reason
  }
  return { url, stop }
}

async function waitUntilHealthy(url: string): Promise<void> {
  const deadline = Date.now() + startMsMax
  while (Date.now() < deadline) {
    const response = await fetch(`${url}/health`).catch(() => undefined)
    if (response?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  throw new Error(`etcd at ${url} did not become healthy`)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('No port was given')
  return address.port
}
