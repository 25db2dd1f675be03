// Runs `balsa` verbs in the process of a test: what they print, where, and how they end.
import { Command, CommanderError } from 'commander'
import { vi } from 'vitest'
import { registerApiCommands } from '../api-commands.ts'
import { registerKubeconfigCommand } from '../kubeconfig-command.ts'

export interface Outcome {
  readonly out: string
  readonly err: string
  readonly code: number
}

/** With the kubeconfig of that path, unless the words name one. */
export const runVerb = async (kubeconfig: string, words: readonly string[]): Promise<Outcome> => {
  const out: string[] = []
  const err: string[] = []
  const keep = (list: string[]) => (text: unknown) => list.push(String(text)) > 0
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep(err)),
  ]
  const program = new Command('balsa').exitOverride()
  registerApiCommands(program)
  registerKubeconfigCommand(program)
  const isPlaced = words[0] === 'kubeconfig' || words.includes('--kubeconfig')
  const place = isPlaced ? [] : ['--kubeconfig', kubeconfig]
  const end = words.indexOf('--')
  const all = end < 0 ? [...words, ...place] : words.toSpliced(end, 0, ...place)
  process.exitCode = 0
  try {
    await program.parseAsync(all, { from: 'user' })
    return { out: out.join(''), err: err.join(''), code: process.exitCode }
  } catch (reason) {
    if (!(reason instanceof CommanderError)) throw reason
    return { out: out.join(''), err: err.join(''), code: reason.exitCode }
  } finally {
    process.exitCode = 0
    for (const spy of spies) spy.mockRestore()
  }
}

export const printed = (out: string): Outcome => ({ out, err: '', code: 0 })
export const failed = (err: string): Outcome => ({ out: '', err: `${err}\n`, code: 1 })
