// One line of the table as text, how it is read, and which verb and flags of etcdctl it exercises.

export type Mode = 'plain' | 'tls' | 'auth'
export const modes: readonly Mode[] = ['plain', 'tls', 'auth']

export interface CommandLine {
  /** Words as a shell reads them, single quotes included; `{name}` stands for what an earlier line kept, or for a fact of the server. */
  readonly line: string
  readonly input?: string
  /** For commands that run on: interrupted once so many lines were printed. */
  readonly untilLines?: number
  /** The same, once this line prints something. */
  readonly untilShown?: string
  /** Finds in the output what later lines name as `{name}`: the first group of the pattern. */
  readonly keep?: readonly [name: string, pattern: RegExp]
  /** Left out: in every mode. */
  readonly modes?: readonly Mode[]
  /** In the mode auth: who asks, with the password that is the name; 'nobody' has none; root if left out. */
  readonly as?: string
  /** Why Balsa answers otherwise on purpose; such a line must differ. */
  readonly otherwise?: string
}

/** A bare text is a line that needs nothing else. */
export type Entry = string | CommandLine

export function commandLine(entry: Entry): CommandLine {
  return typeof entry === 'string' ? { line: entry } : entry
}

export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

/** As `etcdctl help` names it: one word, or two. */
export function verbOf(line: string, verbs: readonly string[]): string {
  const words = wordsOf(line)
  const [first = '', second = ''] = words
  const verb = [`${first} ${second}`, first].find((name) => verbs.includes(name))
  if (verb === undefined) throw new Error(`no verb of etcdctl: ${line}`)
  return verb
}

const shortFlags: Readonly<Record<string, string>> = {
  d: 'discovery-srv',
  i: 'interactive',
  l: 'listen',
  w: 'write-out',
}

/** Long names of flags without dashes; what stands after `--` is none. */
export function flagsOf(line: string): string[] {
  const words = wordsOf(line)
  const end = words.indexOf('--')
  return words
    .slice(0, end < 0 ? undefined : end)
    .filter((word) => /^--?[a-z]/.test(word))
    .map((word) => word.replace(/^--?/, '').replace(/=.*/s, ''))
    .map((flag) => shortFlags[flag] ?? flag)
}
