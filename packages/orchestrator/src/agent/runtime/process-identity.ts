// Whether a process id still means the process that an earlier agent started. Ids are reused; the path of the run's script on its command
// line is not.
import { readFile } from 'node:fs/promises'

/** Where the kernel tells about processes, on Linux. */
const procDir = '/proc'

/** True when `pid` runs the script at `scriptPath`. A zombie has no command line and counts as gone. */
export async function runsScript(pid: number, scriptPath: string): Promise<boolean> {
  try {
    const words = (await readFile(`${procDir}/${pid}/cmdline`, 'utf8')).split('\0')
    return words.includes(scriptPath)
  } catch (reason) {
    if (isMissing(reason)) return false
    throw reason
  }
}

export const isMissing = (reason: unknown): boolean =>
  reason instanceof Error &&
  'code' in reason &&
  (reason.code === 'ENOENT' || reason.code === 'ESRCH')
