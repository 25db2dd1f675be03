// Gives each pod of this machine a loopback address of its own, so that two pods can listen on the same port. The address follows from the
// pod's uid, so it survives the agent, and several agents on one machine rarely meet; pods of one agent never do.
import { createHash } from 'node:crypto'

/** 127.64.0.0 to 127.95.255.255: clear of 127.0.0.1, of what else sits at the low end, and of the addresses of Services, 127.96.0.0/16. */
const firstBlock = 64
const blockCount = 32

export class PodAddresses {
  readonly #byUid = new Map<string, string>()
  readonly #taken = new Set<string>()

  of(uid: string): string {
    const known = this.#byUid.get(uid)
    if (known !== undefined) return known
    for (let salt = 0; ; salt++) {
      const address = candidate(uid, salt)
      if (this.#taken.has(address)) continue
      this.#taken.add(address)
      this.#byUid.set(uid, address)
      return address
    }
  }

  /** Keeps the address that a pod already has, e.g. from an agent before this one. False: another pod has it. */
  claim(uid: string, address: string): boolean {
    if (this.#byUid.get(uid) === address) return true
    if (this.#taken.has(address) || this.#byUid.has(uid)) return false
    this.#taken.add(address)
    this.#byUid.set(uid, address)
    return true
  }

  release(uid: string): void {
    const address = this.#byUid.get(uid)
    if (address === undefined) return
    this.#byUid.delete(uid)
    this.#taken.delete(address)
  }
}

function candidate(uid: string, salt: number): string {
  const hash = createHash('sha256').update(`${uid} ${salt}`).digest()
  const [second = 0, third = 0, fourth = 0] = hash
  return `127.${firstBlock + (second % blockCount)}.${third}.${1 + (fourth % 254)}`
}
