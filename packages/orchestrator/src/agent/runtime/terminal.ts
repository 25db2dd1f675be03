// Terminals without a native module: script(1), which every Linux has, runs a program on a pseudo terminal of its own, and stty sets the
// size of that terminal from outside.
import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { platform } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { findExecutable } from './find-executable.ts'
import { isMissing } from './process-identity.ts'
import { RunError } from './runtime.ts'

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The words that run `argv` on a terminal, and the environment they need. Rejects with RunError where there is no script(1). */
export async function onTerminal(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ argv: string[]; env: Record<string, string> }> {
  let script: string
  try {
    script = await findExecutable('script', env['PATH'] ?? process.env['PATH'] ?? '', '/')
  } catch (cause) {
    throw new RunError('tty not supported: this node has no script(1)', { cause })
  }
  // script(1) runs its command by $SHELL; the program gets the one it was to have.
  const { SHELL: shell } = env
  const restore = shell === undefined ? 'unset SHELL' : `SHELL=${quote(shell)}`
  const command = `${restore}; exec ${argv.map(quote).join(' ')}`
  const words =
    platform() === 'linux'
      ? [script, '-qefc', command, '/dev/null']
      : [script, '-q', '/dev/null', ...argv]
  return { argv: words, env: { TERM: 'xterm', ...env, SHELL: '/bin/sh' } }
}

const findTriesMax = 40
const findPauseMs = 25
const depthMax = 8

/**
 * Sets the sizes of the terminal below the process `pid` one after the other, only the newest of those that wait. Attaching clients
 * send a wrong size first, so that the right one is a change that the program sees.
 */
export function terminalSizer(pid: number): (size: TerminalSize) => void {
  let next: TerminalSize | undefined
  let isBusy = false
  const work = async (): Promise<void> => {
    isBusy = true
    while (next !== undefined) {
      const size = next
      next = undefined
      await resizeTerminal(pid, size)
    }
    isBusy = false
  }
  return (size) => {
    next = size
    if (!isBusy) void work()
  }
}

/** The terminal may still be about to be opened. */
async function resizeTerminal(pid: number, size: TerminalSize): Promise<void> {
  if (platform() !== 'linux') return
  for (let tries = 0; tries < findTriesMax; tries++) {
    const terminal = await terminalBelow(pid, 0)
    if (terminal !== undefined) {
      const { rows, columns } = size
      const words = ['-F', terminal, 'rows', String(rows), 'cols', String(columns)]
      // A program that has just ended has no terminal any more, so it does not matter how this ends.
      await new Promise<void>((resolve) => {
        execFile('stty', words, () => resolve())
      })
      return
    }
    await delay(findPauseMs)
  }
}

async function terminalBelow(pid: number, depth: number): Promise<string | undefined> {
  if (depth > depthMax) return undefined
  try {
    const file = await readlink(`/proc/${pid}/fd/0`)
    if (file.startsWith('/dev/pts/') && depth > 0) return file
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    for (const child of children.split(' ').filter((id) => id !== '')) {
      const found = await terminalBelow(Number(child), depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  } catch (reason) {
    if (isMissing(reason)) return undefined
    throw reason
  }
}
