// --wal-dir: the log on a disk of its own. DATA_DIR/member/wal is a link to it, so that a start without the flag finds it as well.
import { lstat, mkdir, readlink, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { KvError } from '../errors.ts'

/** Before raft opens `memberDir`. Throws an error that names the flag if the log is elsewhere already. */
export async function linkWal(memberDir: string, walDir: string): Promise<void> {
  const link = join(memberDir, 'wal')
  const target = resolve(walDir)
  const found = await whatIsAt(link)
  if (found === target || target === resolve(link)) return
  if (found !== undefined) {
    const message = `--wal-dir is '${walDir}', but the log of this member is in ${found}; move it there, or give that folder`
    throw new KvError('INTERNAL', { message })
  }
  try {
    await mkdir(target, { recursive: true, mode: 0o700 })
    await symlink(target, link)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new KvError('INTERNAL', {
      message: `--wal-dir '${walDir}' cannot be used: ${why}`,
      cause,
    })
  }
}

/** Where the link leads, or its own path if it is a folder; undefined: nothing is there. */
async function whatIsAt(link: string): Promise<string | undefined> {
  try {
    return (await lstat(link)).isSymbolicLink() ? await readlink(link) : link
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
}
