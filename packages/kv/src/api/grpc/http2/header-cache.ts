// A client whose table is empty sends the same bytes for the same headers, so their meaning is looked up instead of decoded.

export const entriesMax = 1024
export const blockBytesMax = 512

/** What blocks mean, shared by all connections of a server. */
export class HeaderCache<H> {
  readonly #meanings = new Map<string, H>()

  get(block: string): H | undefined {
    return this.#meanings.get(block)
  }

  set(block: string, meaning: H): void {
    if (block.length > blockBytesMax) return
    // Clients that vary their headers must not keep those of others out: start anew.
    if (this.#meanings.size >= entriesMax) this.#meanings.clear()
    this.#meanings.set(block, meaning)
  }
}
