// Many seeds on many cores. Each run is a function of its seed alone, so what comes out does not depend on the number of processes: outcomes
// come in the order of the seeds, and the violation is that of the lowest seed.
import { fork, type ChildProcess } from 'node:child_process'

/** A run makes much garbage that dies young. */
const youngGenerationSizeMb = 64

/** What a worker is asked: a seed and whatever else its runs need. */
interface Request {
  readonly seed: number
}
/** What it answers: `failure` is there at a violation. */
interface Outcome {
  readonly failure?: unknown
}

export interface SeedPoolOptions<SeedRequest extends Request> {
  /** A module that, as a process of its own, answers each request with its outcome. */
  readonly worker: string
  /** In rising order. */
  readonly requests: readonly SeedRequest[]
  readonly jobs: number
  /** Seeds done so far. */
  readonly onProgress?: (doneCount: number) => void
}

/** Resolves with the outcomes in the order of the requests, up to the first violation and with it. */
export async function runSeeds<SeedRequest extends Request, SeedOutcome extends Outcome>(
  options: SeedPoolOptions<SeedRequest>,
): Promise<readonly SeedOutcome[]> {
  const pool = new SeedPool<SeedRequest, SeedOutcome>(options)
  const jobs = Math.max(1, Math.min(options.jobs, options.requests.length))
  const workers = Array.from({ length: jobs }, () => createWorker(options.worker))
  try {
    await Promise.all(workers.map((worker) => pool.serve(worker)))
  } finally {
    for (const worker of workers) worker.kill()
  }
  return pool.outcomes()
}

function createWorker(path: string): ChildProcess {
  return fork(path, [], {
    execArgv: [...process.execArgv, `--max-semi-space-size=${youngGenerationSizeMb}`],
    serialization: 'advanced',
  })
}

class SeedPool<SeedRequest extends Request, SeedOutcome extends Outcome> {
  readonly #options: SeedPoolOptions<SeedRequest>
  readonly #outcomes: (SeedOutcome | undefined)[] = []
  #next = 0
  #doneCount = 0
  #firstFailure = Infinity

  constructor(options: SeedPoolOptions<SeedRequest>) {
    this.#options = options
  }

  /** Keeps one worker busy until no seed is left that could matter. */
  serve(worker: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      let current = -1
      const ask = (): void => {
        const request = this.#options.requests[this.#next]
        // Later seeds than that of a violation change nothing any more.
        if (request === undefined || this.#next > this.#firstFailure) {
          resolve()
          return
        }
        current = this.#next++
        worker.send(request)
      }
      worker.on('message', (outcome: SeedOutcome) => {
        this.#done(current, outcome)
        ask()
      })
      worker.on('error', reject)
      worker.on('exit', (code) => {
        const seed = this.#options.requests[current]?.seed
        reject(new Error(`Seed ${seed} ended its process with code ${code}`))
      })
      ask()
    })
  }

  #done(index: number, outcome: SeedOutcome): void {
    this.#outcomes[index] = outcome
    if (outcome.failure !== undefined) this.#firstFailure = Math.min(this.#firstFailure, index)
    this.#options.onProgress?.(++this.#doneCount)
  }

  outcomes(): readonly SeedOutcome[] {
    const outcomes = this.#outcomes.filter((outcome) => outcome !== undefined)
    const failed = outcomes.findIndex((outcome) => outcome.failure !== undefined)
    return failed === -1 ? outcomes : outcomes.slice(0, failed + 1)
  }
}
