// The folder that --data-dir names, made where it is missing.
import { access, constants } from 'node:fs/promises'
import { makeFolder } from './make-folder.ts'

/** Rejects with one line that names the flag and the cure. */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir)
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (reason) {
    const code = reason instanceof Error && 'code' in reason ? String(reason.code) : String(reason)
    throw new Error(
      `--data-dir ${dataDir} is not a writable folder (${code}): choose another or fix its permissions`,
      { cause: reason },
    )
  }
}
