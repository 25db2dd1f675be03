// Runs the command lines of one mode on etcd and Balsa and tells where they differ.
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine, flagsOf, verbOf, wordsOf } from './command-line.ts'
import type { CommandLine, Mode } from './command-line.ts'
import { enableAuth, entries } from './commands.ts'
import { etcdctlVerbs } from './etcdctl-help.ts'
import { maskRun } from './mask-run.ts'
import { runEtcdctl } from './run-etcdctl.ts'
import type { Run } from './run-etcdctl.ts'
import { openServers } from './servers.ts'
import type { Server } from './servers.ts'

export interface Outcome {
  readonly verb: string
  readonly flags: readonly string[]
  /** The line and who asked. */
  readonly asked: string
  readonly otherwise: string | undefined
  /** Undefined if both said the same. */
  readonly difference: { readonly etcd: Run; readonly balsa: Run } | undefined
}

const pollMs = 100

function fill(text: string, { facts }: Server): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => facts.get(name) ?? whole)
}

/** Adds where the server is and who asks, unless the line says so itself. */
function wordsFor(command: CommandLine, mode: Mode, server: Server): string[] {
  const { line, as = 'root' } = command
  const flags = new Map(server.flags)
  if (mode === 'auth' && as !== 'nobody') flags.set('user', `${as}:${as}`)
  for (const flag of flagsOf(line)) flags.delete(flag)
  const given = [...flags].map(([flag, value]) => `--${flag}=${value}`)
  return [...given, ...wordsOf(line).map((word) => fill(word, server))]
}

async function runOn(server: Server, command: CommandLine, mode: Mode): Promise<Run> {
  const { untilLines, untilShown } = command
  const words = wordsFor(command, mode, server)
  const input = fill(command.input ?? '', server)
  const shown = new AbortController()
  const over = new AbortController()
  const running = runEtcdctl(words, { input, untilLines, until: shown.signal })
  const stop = (): void => over.abort()
  running.then(stop, stop)
  if (untilShown !== undefined) {
    const check = wordsFor({ line: untilShown }, mode, server)
    while (!over.signal.aborted) {
      if ((await runEtcdctl(check)).stdout !== '') shown.abort()
      await sleep(pollMs)
    }
  }
  const run = await running
  if (command.keep !== undefined) {
    const [name, pattern] = command.keep
    const found = pattern.exec(run.stdout)?.[1]
    // Else later lines would fail alike on both.
    if (found === undefined) throw new Error(`${server.name} said no ${name}: ${run.stderr}`)
    server.facts.set(name, found)
  }
  return maskRun(run, command.line, server)
}

function isSame(one: Run, other: Run): boolean {
  return (
    one.exitCode === other.exitCode && one.stdout === other.stdout && one.stderr === other.stderr
  )
}

/** All lines of one mode, in order, on both servers. */
export async function runTable(mode: Mode): Promise<Outcome[]> {
  const verbs = await etcdctlVerbs()
  const first = mode === 'auth' ? enableAuth.map((line) => ({ line, as: 'nobody' })) : []
  const commands = [...first, ...entries]
    .map(commandLine)
    .filter(({ modes }) => modes === undefined || modes.includes(mode))
  const outcomes: Outcome[] = []
  const servers = await openServers(mode)
  try {
    for (const command of commands) {
      const { line, otherwise } = command
      const [etcd, balsa] = await Promise.all([
        runOn(servers[0], command, mode),
        runOn(servers[1], command, mode),
      ])
      const difference = isSame(etcd, balsa) ? undefined : { etcd, balsa }
      const verb = verbOf(line, verbs)
      const asked = command.as === undefined ? line : `${line} (as ${command.as})`
      outcomes.push({ verb, flags: flagsOf(line), asked, otherwise, difference })
    }
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]()
  }
  return outcomes
}

/** Differences nobody asked for, and lines said to differ that do not. */
export function faults(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ asked, otherwise, difference }) => {
    if (difference === undefined) return otherwise === undefined ? [] : [`${asked}: no difference`]
    if (otherwise !== undefined) return []
    const { etcd, balsa } = difference
    return [`${asked}\n  etcd  ${JSON.stringify(etcd)}\n  Balsa ${JSON.stringify(balsa)}`]
  })
}
