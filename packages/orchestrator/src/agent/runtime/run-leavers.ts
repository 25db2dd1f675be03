// Processes that left the process group of their run (setsid, daemons). The kernel keeps the environment that a process was started with, and
// children inherit it, so a mark there tells whose they are. On Linux only; a process that clears its environment is not found.
import { readdir, readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMissing } from './process-identity.ts'

/** The environment variable that names the folder of the run. */
export const runMark = 'BALSA_RUN'
const procDir = '/proc'
/** A process may fork while we look; one that does so forever, or cannot die, is left alone after about two seconds. */
const roundsMax = 28
const pauseMsMax = 100

/** One look through all processes serves every run that waits for it. */
export class RunLeavers {
  #waiting = new Set<string>()
  #next: Promise<void> | undefined
  #current: Promise<void> = Promise.resolve()

  /** Kills what is left of a run whose group is gone. Rejects when processes cannot be listed at all. */
  end(runDir: string): Promise<void> {
    if (platform() !== 'linux') return Promise.resolve()
    this.#waiting.add(runDir)
    const look = (): Promise<void> => {
      const runDirs = this.#waiting
      this.#waiting = new Set()
      this.#next = undefined
      this.#current = killMarked(runDirs)
      return this.#current
    }
    // Whatever became of the look before.
    this.#next ??= this.#current.then(look, look)
    return this.#next
  }
}

async function killMarked(runDirs: ReadonlySet<string>): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const ids = (await readdir(procDir)).filter((name) => /^[0-9]+$/.test(name))
    const found = await Promise.all(ids.map((id) => killIfMarked(id, runDirs)))
    if (!found.includes(true)) return
    // A killed process is there until it has had its turn to die, which takes its time on a busy machine.
    await sleep(Math.min(2 ** round, pauseMsMax))
  }
}

async function killIfMarked(id: string, runDirs: ReadonlySet<string>): Promise<boolean> {
  try {
    const variables = (await readFile(`${procDir}/${id}/environ`, 'utf8')).split('\0')
    const mark = variables.find((variable) => variable.startsWith(`${runMark}=`))
    if (mark === undefined || !runDirs.has(mark.slice(runMark.length + 1))) return false
    process.kill(Number(id), 'SIGKILL')
    return true
  } catch (reason) {
    if (isMissing(reason) || isForbidden(reason)) return false
    throw reason
  }
}

/** Another user's process. */
const isForbidden = (reason: unknown): boolean =>
  reason instanceof Error &&
  'code' in reason &&
  (reason.code === 'EACCES' || reason.code === 'EPERM')
