// Reads etcd's YAML configuration file as if its keys were flags. As in etcd, whoever gives a file gives everything in it: other flags and
// variables are ignored.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { FlagError, type Given } from './given-flags.ts'
import { memberFlags } from './member-flags.ts'

export interface ConfigFile {
  readonly given: Map<string, Given>
  readonly warnings: readonly string[]
}

/** Loaded for those who have a file: reading its code takes a tenth of a member's start. */
const loadYaml = (): typeof import('yaml') =>
  createRequire(import.meta.url)('yaml') as typeof import('yaml')

/** By key of the file, 'section.key' in a section. */
const flagsByKey = new Map(
  [...memberFlags.values()].flatMap((flag) =>
    [flag.name, ...(flag.fileKeys ?? [])].map((key) => [key, flag]),
  ),
)

export function readConfigFile(path: string): ConfigFile {
  const given = new Map<string, Given>()
  const warnings: string[] = []
  for (const [key, value] of leavesOf(parseFile(path), '')) {
    const flag = flagsByKey.get(key)
    const as = `${key} of ${path}`
    if (flag === undefined) warnings.push(`${as} is not a key of etcd and has no effect`)
    // An empty key is one that is not given: etcd's sample file is full of them.
    else if (value !== null && value !== '') given.set(flag.name, { text: textOf(value), as })
  }
  return { given, warnings }
}

function parseFile(path: string): object {
  let content: unknown
  try {
    content = loadYaml().parse(readFileSync(path, 'utf8'), { version: '1.1' })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
    throw new FlagError(`error verifying flags, ${why}. See 'etcd --help'.`, { cause })
  }
  if (content === null || content === undefined) return {}
  if (typeof content === 'object' && !Array.isArray(content)) return content
  throw new FlagError(`--config-file '${path}' must hold keys and values`)
}

function leavesOf(node: object, prefix: string): [key: string, value: unknown][] {
  return Object.entries(node).flatMap(([name, value]: [string, unknown]) => {
    const key = prefix + name
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isSection ? leavesOf(value, `${key}.`) : [[key, value]]
  })
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(',') : String(value)
}
