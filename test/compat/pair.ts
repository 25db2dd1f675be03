// Real etcd and Balsa, each a process of its own with an empty folder, for one run.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { balsaMain, tools } from '../tools.ts'
import { Server } from './server.ts'

/** Looks, not a time: where the whole machine stood still nobody was late. */
const readyLooksMax = 1_000
const pollMs = 30
/** The disk is not what is compared: in memory, where there is such a folder, a sync costs nothing. */
const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export interface Pair extends AsyncDisposable {
  readonly servers: readonly [Server, Server]
}

export async function startPair(): Promise<Pair> {
  const starting = [
    startServer('etcd', tools.etcd ?? 'etcd', []),
    startServer('balsa', process.execPath, [balsaMain, 'member']),
  ] as const
  const stop = async (): Promise<void> => {
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') await started.value.stop()
    }
  }
  try {
    const [etcd, balsa] = await Promise.all(starting)
    return { servers: [etcd.server, balsa.server], [Symbol.asyncDispose]: stop }
  } catch (reason) {
    await stop()
    throw reason
  }
}

async function startServer(
  name: string,
  program: string,
  args: readonly string[],
): Promise<{ server: Server; stop: () => Promise<void> }> {
  const dataDir = mkdtempSync(join(folder, `balsa-compat-${name}-`))
  const [clientPort, peerPort] = await freePorts(2)
  const url = `http://127.0.0.1:${clientPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const flags = {
    'data-dir': dataDir,
    name: 'default',
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    'bcrypt-cost': '4',
    'auth-token-ttl': '86400',
  }
  const given = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
  const child = spawn(program, [...args, ...given], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // One request after another: more threads would only hand it about.
    env: { ...process.env, GOMAXPROCS: '1' },
  })
  // Whatever ends the run ends its servers.
  const kill = (): void => {
    child.kill('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', kill)
  let log = ''
  child.stderr.on('data', (text: Buffer) => (log = (log + text.toString()).slice(-4_000)))
  let server: Server | undefined
  const stop = async (): Promise<void> => {
    server?.close()
    await ended(child)
    process.off('exit', kill)
    rmSync(dataDir, { recursive: true, force: true })
  }
  for (let looks = 0; !(await isHealthy(url)); looks++) {
    if (child.exitCode !== null || looks === readyLooksMax) {
      await stop()
      throw new Error(`${name} did not become ready on ${url}: ${log}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  server = new Server(name, url)
  return { server, stop }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.kill('SIGKILL')
  await exited
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok
  } catch (reason) {
    if (reason instanceof TypeError) return false
    throw reason
  }
}
