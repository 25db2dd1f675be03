// Real servers as users run them: separate processes, real disks, data in temp folders that are gone afterwards.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../test/free-ports.ts'
import { balsaMain, tools } from '../test/tools.ts'
import { connect } from '../packages/kv/src/client/connect.ts'

export type ServerKind = 'balsa' | 'etcd'

export interface Cluster extends AsyncDisposable {
  readonly kind: ServerKind
  readonly urls: readonly string[]
  /** Where the leader's clients are served. */
  leaderUrl(): Promise<string>
  /** Ends one member with SIGKILL. */
  kill(index: number): Promise<void>
  /** Starts it again on its data. */
  start(index: number): void
}

/** Members that are processes of their own. */
export interface MemberCluster extends Cluster {
  /** Of a member that runs. */
  pid(index: number): number
  dataDir(index: number): string
}

const readyTimeoutMs = 30_000

export async function startCluster(
  kind: ServerKind,
  size: number,
  moreFlags: Readonly<Record<string, string>> = {},
): Promise<MemberCluster> {
  const directory = mkdtempSync(join(tmpdir(), `balsa-bench-${kind}-`))
  const ports = await freePorts(size * 2)
  const names = Array.from({ length: size }, (_, i) => `m${i + 1}`)
  const clientUrls = names.map((_, i) => `http://127.0.0.1:${ports[i]}`)
  const peerUrls = names.map((_, i) => `http://127.0.0.1:${ports[size + i]}`)
  const initialCluster = names.map((name, i) => `${name}=${peerUrls[i]}`).join(',')
  const children: (ChildProcess | undefined)[] = []
  const dataDir = (index: number): string => join(directory, `m${index + 1}`)
  const start = (index: number): void => {
    const flags = {
      name: names[index],
      'data-dir': dataDir(index),
      'listen-client-urls': clientUrls[index],
      'advertise-client-urls': clientUrls[index],
      'listen-peer-urls': peerUrls[index],
      'initial-advertise-peer-urls': peerUrls[index],
      'initial-cluster': initialCluster,
      'log-level': 'error',
      ...moreFlags,
    }
    const argv = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
    const [program, first] =
      kind === 'etcd'
        ? ([tools.etcd ?? 'etcd', ['--logger=zap']] as const)
        : ([process.execPath, [balsaMain, 'member']] as const)
    const child = spawn(program, [...first, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.on('data', (text: Buffer) => {
      if (process.env['BENCH_LOGS'] !== undefined) process.stderr.write(text)
    })
    children[index] = child
  }
  const kill = async (index: number): Promise<void> => {
    const child = children[index]
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    child.kill('SIGKILL')
    await gone
  }
  const dispose = async (): Promise<void> => {
    await Promise.all(names.map((_, i) => kill(i)))
    rmSync(directory, { recursive: true, force: true })
  }
  for (const [index] of names.entries()) start(index)
  try {
    await untilHealthy(clientUrls)
  } catch (reason) {
    await dispose()
    throw reason
  }
  const leaderUrl = (): Promise<string> => findLeader(clientUrls)
  return {
    kind,
    urls: clientUrls,
    leaderUrl,
    pid: (index) => children[index]?.pid ?? 0,
    dataDir,
    kill,
    start,
    [Symbol.asyncDispose]: dispose,
  }
}

/** /health is true when a member has a leader. */
async function untilHealthy(urls: readonly string[]): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  for (const url of urls) {
    while (!(await isHealthy(url))) {
      if (performance.now() > deadline) throw new Error(`${url} did not become healthy`)
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      })
    }
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) })
    return (await response.text()).includes('true')
  } catch (reason) {
    if (reason instanceof Error) return false
    throw reason
  }
}

/** Where the leader serves its clients; waits until there is one. */
export async function findLeader(urls: readonly string[]): Promise<string> {
  const deadline = performance.now() + readyTimeoutMs
  while (performance.now() < deadline) {
    for (const url of urls) {
      await using kv = await connect({ endpoints: url, connectTimeoutMs: readyTimeoutMs })
      const { leader, memberId } = await kv.status({ endpoint: url })
      if (leader === memberId) return url
    }
  }
  throw new Error('no member leads')
}
