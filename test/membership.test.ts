// Membership under load, as an operator changes it: from one member to five and back to three with Debian's etcdctl, a process each, while
// clients write. What was acknowledged is there at the end, and no client sees more than one error for a change.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { connect, type Kv } from '@balsa/kv/client'
import { BalsaProcess, run, stopBalsaProcesses, waitFor, type Finished } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, tools } from './tools.ts'

const directory = mkdtempSync(join(tmpdir(), 'balsa-membership-'))
afterAll(async () => {
  await stopBalsaProcesses()
  rmSync(directory, { recursive: true, force: true })
})

interface Planned {
  readonly name: string
  readonly clientUrl: string
  readonly peerUrl: string
}

async function planMembers(count: number): Promise<Planned[]> {
  const ports = await freePorts(2 * count)
  return Array.from({ length: count }, (_, i) => ({
    name: `m${i}`,
    clientUrl: `http://127.0.0.1:${ports[2 * i]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * i + 1]}`,
  }))
}

function start(
  { name, clientUrl, peerUrl }: Planned,
  initialCluster: string,
  state: 'new' | 'existing',
): BalsaProcess {
  const flags = {
    name,
    'data-dir': join(directory, name),
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': initialCluster,
    'initial-cluster-state': state,
  }
  return new BalsaProcess([
    'member',
    ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
  ])
}

function etcdctl(endpoint: string, ...args: string[]): Promise<Finished> {
  return run(tools.etcdctl ?? 'etcdctl', [`--endpoints=${endpoint}`, ...args])
}

/** What etcdctl prints; while the others have not been healthy for long enough it is told so, and tries again. */
function change(endpoint: string, ...args: string[]): Promise<string> {
  return waitFor(`etcdctl ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await etcdctl(endpoint, ...args)
    if (code === 0) return stdout
    if (!stderr.includes('etcdserver: unhealthy cluster')) throw new Error(stderr)
    return undefined
  })
}

/** The environment that `member add` tells the operator to start the new member with. */
function environmentOf(printed: string, variable: string): string {
  return new RegExp(`${variable}="([^"]*)"`).exec(printed)?.[1] ?? ''
}

async function idOf(endpoint: string, name: string): Promise<string> {
  const { stdout } = await etcdctl(endpoint, 'member', 'list')
  const line = stdout.split('\n').find((each) => each.split(', ')[2] === name)
  return line?.split(', ')[0] ?? ''
}

async function leaderOf(members: readonly Planned[]): Promise<Planned | undefined> {
  for (const member of members) {
    const { stdout } = await etcdctl(member.clientUrl, 'endpoint', 'status')
    if (stdout.split(', ')[4] === 'true') return member
  }
  return undefined
}

/** Writes one key after the other, each once. */
class Writer {
  readonly acknowledged: string[] = []
  readonly errors: string[] = []
  errorsBefore = 0
  readonly #kv: Kv
  readonly #name: string
  readonly #over: Promise<void>
  #isStopped = false

  constructor(kv: Kv, name: string) {
    this.#kv = kv
    this.#name = name
    this.#over = this.#write()
  }

  async #write(): Promise<void> {
    for (let n = 0; !this.#isStopped; n++) {
      const key = `${this.#name}/${String(n).padStart(6, '0')}`
      try {
        await this.#kv.put(key, key)
        this.acknowledged.push(key)
      } catch (reason) {
        this.errors.push(String(reason))
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#over
    await this.#kv.close()
  }
}

/** After a change, once all writers have written on: none may have seen more than one error since the last. */
async function expectFewErrors(writers: readonly Writer[], what: string): Promise<void> {
  const counts = writers.map(({ acknowledged }) => acknowledged.length)
  await waitFor(`writes after ${what}`, () =>
    writers.every(({ acknowledged }, i) => acknowledged.length > (counts[i] ?? 0) + 20),
  )
  for (const writer of writers) {
    const seen = writer.errors.slice(writer.errorsBefore)
    writer.errorsBefore = writer.errors.length
    expect(seen.length, `${what}: ${seen.join('; ')}`).toBeLessThanOrEqual(1)
  }
}

describe.skipIf(missing('etcdctl'))('membership under load', () => {
  test('a cluster grows from one member to five and shrinks to three while clients write, and nothing is lost', async () => {
    const planned = await planMembers(5)
    const [first] = planned as [Planned, ...Planned[]]
    const processes = new Map<string, BalsaProcess>()
    const running = [first]
    const alone = start(first, `${first.name}=${first.peerUrl}`, 'new')
    processes.set(first.name, alone)
    await alone.ready('ready to serve client requests')

    const endpoints = planned.map(({ clientUrl }) => clientUrl)
    const writers = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const protocol = i % 2 === 0 ? 'native' : 'grpc'
        return new Writer(await connect({ endpoints, protocol }), `w${i}`)
      }),
    )

    for (const member of planned.slice(1)) {
      const { name, peerUrl } = member
      const printed = await change(first.clientUrl, 'member', 'add', name, `--peer-urls=${peerUrl}`)
      expect(environmentOf(printed, 'ETCD_INITIAL_CLUSTER_STATE')).toBe('existing')
      const process = start(member, environmentOf(printed, 'ETCD_INITIAL_CLUSTER'), 'existing')
      processes.set(name, process)
      await process.ready('ready to serve client requests')
      running.push(member)
      await expectFewErrors(writers, `adding ${name}`)
    }

    for (let removals = 0; removals < 2; removals++) {
      // The leader first, then another one.
      const leader = await leaderOf(running)
      const leaving = removals === 0 ? leader : running.find((member) => member !== leader)
      const asked = running.find((member) => member !== leaving)
      const id = await idOf(asked?.clientUrl ?? '', leaving?.name ?? '')
      await change(asked?.clientUrl ?? '', 'member', 'remove', id)
      const process = processes.get(leaving?.name ?? '')
      expect(await process?.exited).toBe(0)
      expect(process?.stderr).toContain('the member has been permanently removed from the cluster')
      running.splice(running.indexOf(leaving ?? first), 1)
      await expectFewErrors(writers, `removing ${leaving?.name}`)
    }

    await Promise.all(writers.map((writer) => writer.stop()))
    const hashes = await waitFor('equal hashes', async () => {
      const lines = await Promise.all(
        running.map(async ({ clientUrl }) => {
          const { stdout } = await etcdctl(clientUrl, 'endpoint', 'hashkv')
          return stdout.trim().split(', ')[1]
        }),
      )
      return new Set(lines).size === 1 ? lines : undefined
    })
    expect(hashes).toHaveLength(3)
    for (const { clientUrl } of running) {
      const { stdout } = await etcdctl(clientUrl, 'get', 'w', '--prefix', '--keys-only')
      const kept = new Set(stdout.split('\n'))
      const lost = writers.flatMap(({ acknowledged }) =>
        acknowledged.filter((key) => !kept.has(key)),
      )
      expect(lost).toEqual([])
    }
  }, 240_000)
})
