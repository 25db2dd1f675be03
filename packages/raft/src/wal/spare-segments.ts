// Released segments become the space of new ones: zeroed again beside the log, so that a new segment begins with blocks that are there
// already and its records wait for no allocation. Keeps: under the name of a spare a file holds nothing but zeros, and what it held before
// is never seen under the name of a segment again.
import type { File, FileSystem } from '../node/ports.ts'
import { writeZeros } from './segment.ts'

/** More released segments than that are removed. */
export const spareSegmentsMax = 2

/** Zeroed and synced at once: small steps leave the disk to the log in between. */
const zeroStepBytes = 1024 * 1024

const spareSuffix = '.spare'

function temporaryOf(spare: string): string {
  return `${spare}.tmp`
}

/** What an earlier life of the log left behind. */
export function isSpareName(name: string): boolean {
  return name.endsWith(spareSuffix) || name.endsWith(temporaryOf(spareSuffix))
}

export class SpareSegments {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  readonly #segmentSizeBytes: number
  #ready: string[] = []
  #isGivenUp = false
  #isClosed = false

  constructor(fileSystem: FileSystem, directory: string, segmentSizeBytes: number) {
    this.#fileSystem = fileSystem
    this.#directory = directory
    this.#segmentSizeBytes = segmentSizeBytes
  }

  get hasRoom(): boolean {
    return !this.#isGivenUp && !this.#isClosed && this.#ready.length < spareSegmentsMax
  }

  /** The path of one, which is the caller's from now on. */
  take(): string | undefined {
    return this.#ready.pop()
  }

  /** Gives a released segment away: it has no name as a segment any more when the promise resolves. */
  async recycle(path: string): Promise<void> {
    const fileSystem = this.#fileSystem
    const spare = `${path}${spareSuffix}`
    await fileSystem.rename(path, temporaryOf(spare))
    // Zeros under the name of the segment would look like damage.
    await fileSystem.syncDirectory(this.#directory)
    try {
      await this.#prepare(spare)
    } catch {
      // The log has let go of this file, so nothing is lost with it. The next start removes it; until then there are no spares.
      this.#isGivenUp = true
    }
  }

  async #prepare(spare: string): Promise<void> {
    const fileSystem = this.#fileSystem
    const file = await fileSystem.open(temporaryOf(spare), 'write')
    try {
      await this.#zero(file)
    } finally {
      await file.close()
    }
    if (this.#isClosed) return
    await fileSystem.rename(temporaryOf(spare), spare)
    this.#ready.push(spare)
  }

  async #zero(file: File): Promise<void> {
    const segmentSizeBytes = this.#segmentSizeBytes
    for (let at = 0; at < segmentSizeBytes && !this.#isClosed; at += zeroStepBytes) {
      await writeZeros(file, at, Math.min(zeroStepBytes, segmentSizeBytes - at))
      await file.sync()
    }
    // A record larger than a segment had one for itself.
    if ((await file.size()) > segmentSizeBytes) await file.truncate(segmentSizeBytes)
    await file.sync()
  }

  /** What is under way ends soon. */
  close(): void {
    this.#isClosed = true
  }
}
