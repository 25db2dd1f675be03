// A process that runs the simulator of a copy of a package under given seeds, one after another, and tells what comes of each.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface SeedsRequest {
  /** Holds the copy of the sources as src. */
  readonly directory: string
  readonly seeds: readonly number[]
}

export type SeedMessage =
  | { readonly type: 'begin'; readonly seed: number }
  | { readonly type: 'violation'; readonly seed: number; readonly text: string }
  | { readonly type: 'end' }

interface SeedRunner {
  runSeed(options: {
    readonly seed: number
  }): Promise<{ readonly failure?: { readonly message: string } }>
}

const tell = (message: SeedMessage): void => {
  process.send?.(message)
}

async function run({ directory, seeds }: SeedsRequest): Promise<void> {
  const path = join(directory, 'src/simulation/run-seed.ts')
  const runner = (await import(pathToFileURL(path).href)) as SeedRunner
  for (const seed of seeds) {
    tell({ type: 'begin', seed })
    const { failure } = await runner.runSeed({ seed })
    if (failure !== undefined) {
      tell({ type: 'violation', seed, text: failure.message })
      return
    }
  }
  tell({ type: 'end' })
}

process.once('message', (request: SeedsRequest) => {
  // A rejection ends the process, and whoever asked hears of it.
  void run(request)
})
