// Whether a process id still means the process that an earlier agent started. Ids are reused; the path of the run's script on its command
// line is not.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { promisify } from 'node:util'

/** Where the kernel tells about processes, on Linux. */
const procDir = '/proc'

/** True when `pid` runs the script at `scriptPath`. A zombie has no command line and counts as gone. */
export async function runsScript(pid: number, scriptPath: string): Promise<boolean> {
  if (platform() !== 'linux') return (await commandLine(pid)).endsWith(scriptPath)
  try {
    const words = (await readFile(`${procDir}/${pid}/cmdline`, 'utf8')).split('\0')
    return words.includes(scriptPath)
  } catch (reason) {
    if (isMissing(reason)) return false
    throw reason
  }
}

/** Of other systems; empty when there is no such process, which `ps` tells by its exit code. */
async function commandLine(pid: number): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])
    return stdout.trim()
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 1) return ''
    throw reason
  }
}

export const isMissing = (reason: unknown): boolean =>
  reason instanceof Error &&
  'code' in reason &&
  (reason.code === 'ENOENT' || reason.code === 'ESRCH')
