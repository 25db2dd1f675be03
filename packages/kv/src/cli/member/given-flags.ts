// Which flags were given and how: on the command line, as ETCD_ variables, or in a configuration file.
import type { MemberFlag } from './flags/flag-row.ts'
import { memberFlags } from './member-flags.ts'

export interface Given {
  readonly text: string
  /** As it was written: `--name`, ETCD_NAME, or `name of FILE`. */
  readonly as: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The message is for a person and names the flag, variable or key. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
  /** As etcd's: 2 for a flag that is none, else 1. */
  readonly exitCode: number

  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options)
    this.exitCode = options.exitCode ?? 1
  }
}

/** Words before the first flag are not for it. */
export function readArguments(argv: readonly string[]): Map<string, Given> {
  const given = new Map<string, Given>()
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word)
    if (match === null) {
      throw new FlagError(
        `error verifying flags, '${word}' is not a valid flag. See 'etcd --help'.`,
      )
    }
    const name = match[1] ?? ''
    const flag = memberFlags.get(name)
    if (flag === undefined && name !== configFileFlag) {
      throw new FlagError(`flag provided but not defined: -${name}`, { exitCode: 2 })
    }
    given.set(name, { text: valueOf(name, flag, match[2], rest), as: `--${name}` })
  }
  return given
}

/** Not a row of the table: it says where the rows are. */
export const configFileFlag = 'config-file'

function valueOf(
  name: string,
  flag: MemberFlag | undefined,
  inline: string | undefined,
  rest: string[],
): string {
  if (inline !== undefined) return inline
  const known = flag?.newName === undefined ? flag : memberFlags.get(flag.newName)
  if (known?.isSwitch === true) return 'true'
  const next = rest.shift()
  if (next === undefined) throw new FlagError(`flag needs an argument: -${name}`, { exitCode: 2 })
  return next
}

/** What `given` has not is filled in from the variables; answers what there is to warn of, with etcd's words. */
export function addVariables(given: Map<string, Given>, env: Environment): string[] {
  const warnings: string[] = []
  for (const [variable, text] of Object.entries(env)) {
    // etcd and its image give these other uses.
    if (!variable.startsWith('ETCD_') || text === undefined || otherVariables.has(variable)) {
      continue
    }
    const name = variable.slice('ETCD_'.length).toLowerCase().replaceAll('_', '-')
    if (!memberFlags.has(name)) {
      warnings.push(`unrecognized environment variable ${variable}=${text}`)
    } else if (given.has(name)) {
      warnings.push(
        `conflicting environment variable "${variable}" is shadowed by corresponding command-line flag (either unset environment variable or disable flag)`,
      )
    } else if (text !== '') given.set(name, { text, as: variable })
  }
  return warnings
}

const otherVariables = new Set(['ETCD_CONFIG_FILE', 'ETCD_UNSUPPORTED_ARCH'])
