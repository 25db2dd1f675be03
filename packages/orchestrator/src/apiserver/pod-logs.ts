// Where the apiserver gets pod logs from: each agent registers a source for its node, the log subresource asks the source of the
// pod's node. An agent in another process registers by its address later; the port stays the same.
import type { KubeObject, Stored } from '../resources/object.ts'

export interface PodLogOptions {
  readonly container: string
  readonly follow: boolean
  /** The log of the container's last instance before the current one. */
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  /** Epoch milliseconds; older lines are left out. */
  readonly sinceMs: number | undefined
  readonly limitBytes: number | undefined
}

export interface PodLogSource {
  /**
   * The log as text chunks, ending when it is complete or, with `follow`, when the container ended. Rejects with ApiError
   * (BadRequest) where there is no such log. Aborting `signal` ends the iteration and frees what it holds.
   */
  readLog(
    pod: Stored<KubeObject>,
    options: PodLogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>
}

/** The sources by node name; a later registration of a node takes the place of an earlier one. */
export class PodLogs {
  readonly #sources = new Map<string, PodLogSource>()

  /** Returns the function that takes it back. */
  register(nodeName: string, source: PodLogSource): () => void {
    this.#sources.set(nodeName, source)
    return () => {
      if (this.#sources.get(nodeName) === source) this.#sources.delete(nodeName)
    }
  }

  source(nodeName: string): PodLogSource | undefined {
    return this.#sources.get(nodeName)
  }
}
