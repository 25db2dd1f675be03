// Runs Debian's etcdctl to its end, or until it has printed enough.
import { spawn } from 'node:child_process'
import { tools } from '../tools.ts'

export interface Run {
  readonly exitCode: number | null
  /** One character per byte. */
  readonly stdout: string
  readonly stderr: string
}
export interface RunOptions {
  readonly input?: string | undefined
  readonly untilLines?: number | undefined
  /** Ends a command that runs on. */
  readonly until?: AbortSignal | undefined
}

const commandTimeoutMs = 40_000

export function runEtcdctl(
  words: readonly string[],
  { input = '', untilLines, until }: RunOptions = {},
): Promise<Run> {
  const child = spawn(tools.etcdctl ?? 'etcdctl', words, {
    env: { ...process.env, ETCDCTL_API: '3' },
  })
  let stdout = ''
  let stderr = ''
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, commandTimeoutMs)
  // Lock and elect give up what they hold when they are interrupted.
  const interrupt = (): void => void child.kill('SIGINT')
  until?.addEventListener('abort', interrupt, { once: true })
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('latin1')))
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('latin1')
    if (untilLines !== undefined && stdout.split('\n').length > untilLines) interrupt()
  })
  // A command that reads no input may be gone before it is written.
  child.stdin.on('error', () => child.stdin.destroy())
  // One that runs on would stop at the end of its input.
  if (untilLines === undefined) child.stdin.end(input)
  else child.stdin.write(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => {
      clearTimeout(timer)
      until?.removeEventListener('abort', interrupt)
      // What it still printed before it heard the interrupt is left to chance.
      if (untilLines !== undefined) stdout = stdout.split('\n').slice(0, untilLines).join('\n')
      if (isLate) stderr += `(killed after ${commandTimeoutMs} ms)`
      resolve({ exitCode, stdout, stderr })
    })
  })
}
