// Which file a command means, as a shell would look it up, so that a missing program is told before anything is started.
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { RunError } from './runtime.ts'

/** Rejects with RunError and the text that container runtimes use. */
export async function findExecutable(command: string, path: string, cwd: string): Promise<string> {
  if (command === '') throw new RunError('no command specified')
  if (command.includes('/')) {
    const file = isAbsolute(command) ? command : resolve(cwd, command)
    const problem = await executableProblem(file)
    if (problem === undefined) return file
    throw new RunError(`exec: "${command}": stat ${command}: ${problem}`)
  }
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue
    const file = join(folder, command)
    if ((await executableProblem(file)) === undefined) return file
  }
  throw new RunError(`exec: "${command}": executable file not found in $PATH`)
}

async function executableProblem(file: string): Promise<string | undefined> {
  try {
    if ((await stat(file)).isDirectory()) return 'is a directory'
    await access(file, constants.X_OK)
    return undefined
  } catch (reason) {
    const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
    return code === 'EACCES' ? 'permission denied' : 'no such file or directory'
  }
}
