// `--from-file`, `--from-literal` and `--from-env-file`: what becomes the keys of ConfigMaps and Secrets.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Flags } from './generator.ts'

export const keySourceFlags = `
from-file*: [KEY=]FILE, or a folder, of which every file is a key
from-literal+: KEY=VALUE
from-env-file*: a file of KEY=VALUE lines`

/** By key. Throws Error as kubectl tells it. */
export const keysFrom = (flags: Flags, owner: string): ReadonlyMap<string, Buffer> => {
  const found = new Map<string, Buffer>()
  const add = (key: string, bytes: Buffer): void => {
    if (!/^[-._a-zA-Z0-9]+$/.test(key) || /^\.{1,2}$/.test(key))
      throw new Error(
        `${JSON.stringify(key)} is not a valid key name: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      )
    if (found.has(key))
      throw new Error(
        `cannot add key ${JSON.stringify(key)}, another key by that name already exists in Data for ${owner}`,
      )
    found.set(key, bytes)
  }
  const env = flags.list('from-env-file')
  if (env.length > 0 && flags.list('from-file').length + flags.list('from-literal').length > 0)
    throw new Error('from-env-file cannot be combined with from-file or from-literal')
  for (const literal of flags.list('from-literal')) {
    const at = literal.indexOf('=')
    if (at < 1) throw new Error(`invalid literal source ${literal}, expected key=value`)
    add(literal.slice(0, at), Buffer.from(literal.slice(at + 1)))
  }
  for (const source of flags.list('from-file')) {
    const [, key, path = source] = /^([^=]+)=(.+)$/s.exec(source) ?? []
    for (const file of filesOf(path, key)) add(file.key, readFileSync(file.path))
  }
  for (const path of env) for (const [key, value] of envLines(path)) add(key, Buffer.from(value))
  return found
}

const filesOf = (path: string, key: string | undefined): { key: string; path: string }[] => {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new Error(`error reading ${path}: no such file or directory`)
  if (!stats.isDirectory()) return [{ key: key ?? basename(path), path }]
  if (key !== undefined) throw new Error('cannot give a key name for a directory path')
  return readdirSync(path)
    .toSorted()
    .map((name) => ({ key: name, path: join(path, name) }))
    .filter((file) => statSync(file.path).isFile() && /^[-._a-zA-Z0-9]+$/.test(file.key))
}

/** A key without `=` has the value of the variable of that name. */
const envLines = (path: string): (readonly [string, string])[] => {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new Error(`error reading ${path}: no such file or directory`)
  if (stats.isDirectory()) throw new Error('env config file cannot be a directory')
  return readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const at = line.indexOf('=')
      return at < 0
        ? ([line, process.env[line] ?? ''] as const)
        : ([line.slice(0, at), line.slice(at + 1)] as const)
    })
}
