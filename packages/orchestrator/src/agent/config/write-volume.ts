// Writes the files of a volume so that they change all at once and readers notice, laid out as a kubelet does it: the files are in a folder
// of their own, the link `..data` leads to it, and what is seen are links through `..data`. A change is one rename.
import { randomBytes } from 'node:crypto'
import {
  chmod,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { isMissing } from '../runtime/process-identity.ts'
import { inside, replaceLink } from './paths.ts'
import { ConfigError } from './config-source.ts'

export interface VolumeFile {
  readonly path: string
  readonly content: Buffer
  readonly mode: number
}

const dataLink = '..data'
const permissionBits = 0o777

/** Does nothing when the volume holds just that. Rejects with ConfigError for a path that is none. */
export async function writeVolume(folder: string, files: readonly VolumeFile[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const wanted = new Map(files.map((file) => [cleanPath(file.path), file]))
  const before = await currentFolder(folder)
  if (before !== undefined && (await holds(join(folder, before), wanted))) return
  const fresh = `..${randomBytes(6).toString('hex')}`
  for (const [path, { content, mode }] of wanted) {
    const file = join(folder, fresh, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { mode: 0o600 })
    await chmod(file, mode & permissionBits)
  }
  await mkdir(join(folder, fresh), { recursive: true })
  await symlink(fresh, join(folder, `${dataLink}.new`))
  await rename(join(folder, `${dataLink}.new`), join(folder, dataLink))
  await linkNames(folder, new Set([...wanted.keys()].map((path) => path.split(sep)[0] ?? path)))
  await removeOld(folder, fresh)
}

function cleanPath(path: string): string {
  const clean = inside(sep, normalize(path)).slice(sep.length)
  if (clean === '') throw new ConfigError(`"${path}" is no path for a file`)
  return clean
}

async function currentFolder(folder: string): Promise<string | undefined> {
  try {
    return await readlink(join(folder, dataLink))
  } catch (reason) {
    if (isMissing(reason)) return undefined
    throw reason
  }
}

async function holds(folder: string, wanted: ReadonlyMap<string, VolumeFile>): Promise<boolean> {
  try {
    const names = await readdir(folder, { recursive: true })
    let count = 0
    for (const name of names) {
      const found = await stat(join(folder, name))
      if (found.isDirectory()) continue
      const file = wanted.get(name)
      if (file === undefined || (found.mode & permissionBits) !== (file.mode & permissionBits))
        return false
      if (!file.content.equals(await readFile(join(folder, name)))) return false
      count++
    }
    return count === wanted.size
  } catch (reason) {
    if (isMissing(reason)) return false
    throw reason
  }
}

async function linkNames(folder: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of names) await replaceLink(join(folder, name), join(dataLink, name))
  for (const name of await readdir(folder)) {
    if (!name.startsWith('..') && !names.has(name))
      await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** Whatever an agent that died left too. */
async function removeOld(folder: string, fresh: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('..') && name !== dataLink && name !== fresh)
      await rm(join(folder, name), { recursive: true, force: true })
  }
}
