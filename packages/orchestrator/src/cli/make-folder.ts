// Makes a folder with its parents, for this user only. Not Node's own recursive form: that one spins for ever where a parent says ENOENT
// whatever is done, as /proc does.
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Rejects with what the file system said when `path` cannot become a folder. */
export async function makeFolder(path: string): Promise<void> {
  const full = resolve(path)
  const make = (): Promise<void> => mkdir(full, { mode: 0o700 })
  try {
    await make()
  } catch (reason) {
    const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
    if (code === 'EEXIST' && (await stat(full)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(full) === full) throw reason
    await makeFolder(dirname(full))
    await make()
  }
}
