// Ends runs that use more memory than they may. There are no cgroups without root, so it looks at the processes every now and then: often
// enough for programs that leak, too late for one that takes a machine's memory within a moment. Only Linux tells what is asked here.
import { platform } from 'node:os'
import { performance } from 'node:perf_hooks'
import { processTrees } from './process-trees.ts'
import { ownMemory, readProcesses } from './process-times.ts'

/** A run with a limit. */
export interface LimitedRun {
  /** Of its topmost process. */
  readonly pid: number
  readonly limitBytes: number
  /** It must end now. */
  exceeded(): void
}

const lookMsMin = 200
const lookMsMax = 1000
/** Of one core: where a look takes long, looks are rarer, but not rarer than `lookMsMax`. */
const shareMax = 0.03

export class MemoryLimits {
  readonly #runs: () => readonly LimitedRun[]
  readonly #onError: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** Asks for the runs each time. */
  constructor(runs: () => readonly LimitedRun[], onError: (error: unknown) => void) {
    this.#runs = runs
    this.#onError = onError
    if (platform() === 'linux') this.#lookAfter(lookMsMin)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #lookAfter(delayMs: number): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#look(), delayMs).unref()
  }

  async #look(): Promise<void> {
    const beganMs = performance.now()
    try {
      const runs = this.#runs()
      if (runs.length > 0) await endGreedy(runs)
    } catch (reason) {
      this.#onError(reason)
    }
    const wantedMs = (performance.now() - beganMs) / shareMax
    this.#lookAfter(Math.min(lookMsMax, Math.max(lookMsMin, wantedMs)))
  }
}

/** Resident memory counts what is shared several times over and what the kernel could take back: who is above with it is looked at closely. */
async function endGreedy(runs: readonly LimitedRun[]): Promise<void> {
  const processes = await readProcesses()
  const trees = processTrees(processes, new Set(runs.map(({ pid }) => pid)))
  for (const { pid, limitBytes, exceeded } of runs) {
    const pids = trees.get(pid) ?? []
    const resident = (one: number): number => processes.get(one)?.memoryBytes ?? 0
    if (sum(pids, resident) <= limitBytes) continue
    if (sum(pids, (one) => ownMemory(one) ?? resident(one)) > limitBytes) exceeded()
  }
}

const sum = (pids: readonly number[], bytesOf: (pid: number) => number): number =>
  pids.reduce((total, pid) => total + bytesOf(pid), 0)
