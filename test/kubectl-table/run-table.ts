// Runs all command lines, one after the other, with one kubectl against one cluster of its own with two nodes.
import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster, type Cluster } from '../../packages/orchestrator/src/index.ts'
import type { Command, Expected } from './command.ts'
import { certificateRequest } from './certificate-request.ts'
import { areas } from './commands/index.ts'
import { manifests } from './manifests.ts'

export type Client = 'old' | 'new'

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Outcome {
  readonly area: string
  readonly line: string
  readonly isPreparation: boolean
  readonly refused: string | undefined
  /** Undefined if it did as expected. */
  readonly fault: string | undefined
}

const lineTimeoutMs = 40_000
const preparationTimeoutMs = 20_000
const pauseMs = 250
const shownMax = 1500

/** What the images of the table are here: programs of that name. */
const program = (name: string): string => `#!/bin/sh
[ $# -gt 0 ] && exec "$@"
echo started as ${name}
trap 'exit 0' TERM INT
while :; do sleep 1 & wait $!; done
`

/** A folder with the manifests, and programs for the images on the PATH. */
const prepareFolder = async (
  folder: string,
  kubectl: string,
  cluster: Cluster,
): Promise<NodeJS.ProcessEnv> => {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await mkdir(join(folder, 'm'))
  const files = { ...manifests, csr: await certificateRequest('bob') }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, 'm', `${name}.yaml`), text)
  }
  const script = `#!/bin/sh\nexec ${kubectl} "$@"\n`
  await writeFile(join(bin, 'K'), script)
  await chmod(join(bin, 'K'), 0o755)
  const PATH = [bin, process.env['PATH'] ?? ''].join(delimiter)
  return { PATH, HOME: folder, KUBECONFIG: cluster.kubeconfig, TERM: 'xterm' }
}

const runLine = async (line: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', line], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), lineTimeoutMs)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? -1, out, err })
    })
  })

const faultOf = (run: Run, { code = 0, out, err }: Expected): string | undefined => {
  const faults: string[] = []
  if (run.code !== code) faults.push(`exit code ${run.code} instead of ${code}`)
  if (out?.test(run.out) === false) faults.push(`output without ${String(out)}`)
  if (err?.test(run.err) === false) faults.push(`errors without ${String(err)}`)
  if (faults.length === 0) return undefined
  return `${faults.join(', ')}\n${run.out.slice(0, shownMax)}${run.err.slice(0, shownMax)}`
}

const runCommand = async (
  command: Command,
  client: Client,
  run: (line: string) => Promise<Run>,
): Promise<string | undefined> => {
  const expected = client === 'old' && command.old !== undefined ? command.old : command
  const deadline = Date.now() + preparationTimeoutMs
  for (;;) {
    const fault = faultOf(await run(command.line), expected)
    const isAgain = command.isPreparation === true && Date.now() < deadline
    if (fault === undefined || !isAgain) return fault
    await sleep(pauseMs)
  }
}

export interface TableOptions {
  /** Areas; empty: all. */
  readonly only: readonly string[]
  readonly onOutcome?: (outcome: Outcome) => void
}

export const runTable = async (
  client: Client,
  kubectl: string,
  { only, onOutcome }: TableOptions,
): Promise<Outcome[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'balsa-kubectl-'))
  const programs = join(folder, 'programs')
  await mkdir(programs)
  for (const name of ['nginx', 'busybox']) {
    await writeFile(join(programs, name), program(name))
    await chmod(join(programs, name), 0o755)
  }
  // Agents hand their own PATH on to the programs they run.
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = [programs, path].join(delimiter)
  const errors: Error[] = []
  const cluster = await startCluster({ agents: 2, onError: (error) => errors.push(error) })
  const outcomes: Outcome[] = []
  const add = (outcome: Outcome): void => {
    outcomes.push(outcome)
    onOutcome?.(outcome)
  }
  try {
    const env = await prepareFolder(folder, kubectl, cluster)
    const [node = '', node2 = ''] = cluster.nodes
    const run = (line: string): Promise<Run> =>
      runLine(line.replaceAll('{node2}', node2).replaceAll('{node}', node), folder, env)
    for (const [area, commands] of Object.entries(areas)) {
      if (only.length > 0 && !only.includes(area)) continue
      for (const command of commands) {
        const { line, isPreparation = false } = command
        const fault = await runCommand(command, client, run)
        const isOld = client === 'old' && command.old !== undefined
        const refused = isOld ? command.old?.refused : command.refused
        add({ area, line, isPreparation, refused, fault })
      }
    }
    const inside = errors.map(({ message }) => message)
    if (inside.length > 0) {
      const fault = inside.slice(0, 10).join('\n')
      add({
        area: 'cluster',
        line: 'no error inside',
        isPreparation: true,
        refused: undefined,
        fault,
      })
    }
  } finally {
    process.env['PATH'] = path
    await cluster.close()
    await rm(folder, { recursive: true, force: true })
  }
  return outcomes
}
