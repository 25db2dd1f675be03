// Paths of manifests, kept below the folder that they are meant for, and links that replace what is there.
import { lstat, readlink, rm, symlink } from 'node:fs/promises'
import { join, normalize, resolve, sep } from 'node:path'
import { isMissing } from '../runtime/process-identity.ts'

/** `path` below `folder`, however many `..` it holds. */
export const inside = (folder: string, path: string): string =>
  resolve(folder, `.${sep}${normalize(join(sep, path))}`)

/** `link` leads to `target`, whatever was there before. */
export async function replaceLink(link: string, target: string): Promise<void> {
  try {
    if ((await lstat(link)).isSymbolicLink() && (await readlink(link)) === target) return
    await rm(link, { recursive: true, force: true })
  } catch (reason) {
    if (!isMissing(reason)) throw reason
  }
  await symlink(target, link)
}
