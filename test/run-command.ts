// Runs a program to its end and keeps what it printed.
import { spawn } from 'node:child_process'

export interface CommandRun {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

const timeoutMs = 40_000

export function runCommand(
  program: string,
  args: readonly string[],
  { env = {}, cwd }: CommandOptions = {},
): Promise<CommandRun> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    ...(cwd === undefined ? {} : { cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}

/** Rejects with what was printed if the program fails; resolves to its standard output. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const run = await runCommand(program, args, options)
  if (run.exitCode === 0) return run.stdout
  throw new Error(`${program} ${args.join(' ')} ended with ${run.exitCode}: ${run.stderr}`)
}
