// The example of an app in three replicas, run as its reader would: plain node, nothing else.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { waitFor } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { repositoryRoot } from './tools.ts'

const main = join(repositoryRoot, 'examples/replica.mjs')
const names = ['a', 'b', 'c']
/** What the example promises. */
const takeOverMs = 3000

interface Replica {
  readonly name: string
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
  output: string
}
const replicas = new Map<string, Replica>()
let folder = ''
afterEach(async () => {
  await Promise.all([...replicas.keys()].map(kill))
  rmSync(folder, { recursive: true, force: true })
})

function start(name: string, cluster: string): void {
  const child = spawn(process.execPath, [main, name], {
    cwd: folder,
    env: { ...process.env, CLUSTER: cluster },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise((resolve) => child.once('close', resolve))
  const replica: Replica = { name, child, exited, output: '' }
  const add = (chunk: Buffer): void => void (replica.output += chunk.toString())
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  replicas.set(name, replica)
}

async function kill(name: string): Promise<void> {
  const replica = replicas.get(name)
  if (replica === undefined) return
  replicas.delete(name)
  replica.child.kill('SIGKILL')
  await replica.exited
}

/** The leader with the greatest token that any living replica says it has. */
function leader(): { name: string; token: number } | undefined {
  const claims = [...replicas.values()].flatMap(({ name, output }) =>
    [...output.matchAll(/I lead by token (\d+)/g)].map((match) => ({
      name,
      token: Number(match[1]),
    })),
  )
  return claims.sort((one, other) => other.token - one.token)[0]
}

const has = (text: string): boolean => outputs().includes(text)
const said = (text: string): boolean =>
  [...replicas.values()].every(({ output }) => output.includes(text))
/** Tells at once what a replica that ended has said. */
function fail(): false {
  const ended = [...replicas.values()].find(({ child }) => child.exitCode !== null)
  if (ended !== undefined) throw new Error(`${ended.name} ended: ${ended.output}`)
  return false
}
const outputs = (): string => [...replicas.values()].map(({ output }) => output).join('\n')

test('the example is one file of under 40 lines', () => {
  expect(readFileSync(main, 'utf8').trimEnd().split('\n').length).toBeLessThan(40)
})

test('three replicas elect a leader and share settings; when any of them is killed the leadership moves within 3 s', async () => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-replicas-'))
  const ports = await freePorts(names.length)
  const cluster = names.map((name, i) => `${name}=http://127.0.0.1:${ports[i]}`).join(',')
  for (const name of names) start(name, cluster)
  await waitFor('three starts', () => has('start 3,') || fail())
  await waitFor('a leader that all hear of', () => {
    const first = leader()
    return first !== undefined && said(`leader is ${first.name}`)
  })
  let token = (await waitFor('a leader', leader)).token
  // Each of them is killed once: first whoever leads, then whoever does then, then the others.
  for (const round of [1, 2, 3, 4]) {
    const old = await waitFor('a leader', leader)
    const victim =
      round <= 2 ? old.name : (names.filter((name) => name !== old.name)[round - 3] ?? '')
    await kill(victim)
    if (victim === old.name) {
      const next = await waitFor(
        `another leader than ${old.name} of token ${token} in round ${round}: ${outputs()}`,
        () => {
          const found = leader()
          return found !== undefined && found.token > token && found
        },
        takeOverMs,
      )
      token = next.token
      await waitFor('all to hear of it', () => said(`leader is ${next.name}`))
    }
    start(victim, cluster)
    await waitFor(`${victim} to be back`, () => has(`${victim}: start ${3 + round},`) || fail())
  }
  expect(leader()?.token).toBe(token)
})
