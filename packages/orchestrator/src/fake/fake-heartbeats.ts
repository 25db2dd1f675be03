// The leases of fake nodes. However many nodes there are, no more than a few leases are renewed a second, one after the other, and each
// says for how long it holds.
import type { ApiClient } from '../client/api-client.ts'
import { isApiError } from '../client/is-api-error.ts'
import { leaseType, type Lease } from '../resources/lease.ts'
import type { Node } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import { fakeLease, leaseNamespace } from './fake-node.ts'

const renewalsPerSecondMax = 50
const renewMsMin = 10_000
const turnMs = 1000
/** A lease outlives so many renewals. */
const renewalsPerLease = 4

export class FakeHeartbeats {
  readonly #client: ApiClient
  readonly #nodes: readonly Stored<Node>[]
  readonly #durationSeconds: number
  readonly #perTurn: number
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  #next = 0
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> | undefined

  constructor(
    client: ApiClient,
    nodes: readonly Stored<Node>[],
    options: { readonly now: () => number; readonly onError: (error: unknown) => void },
  ) {
    this.#client = client
    this.#nodes = nodes
    const renewMs = Math.max(renewMsMin, (nodes.length / renewalsPerSecondMax) * 1000)
    this.#durationSeconds = Math.ceil((renewMs * renewalsPerLease) / 1000)
    this.#perTurn = Math.ceil((nodes.length * turnMs) / renewMs)
    this.#now = options.now
    this.#onError = options.onError
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#turn ??= this.#renewSome().finally(() => {
        this.#turn = undefined
      })
    }, turnMs)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#turn
  }

  /** The first lease of a node, or the one it had before. */
  async renew(node: Stored<Node>): Promise<void> {
    const { name } = node.metadata
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: this.#durationSeconds,
      renewTime: new Date(this.#now()).toISOString().replace('Z', '000Z'),
    }
    try {
      await this.#client.patch<Lease>(leaseType, leaseNamespace, name, 'merge', { spec })
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
      await this.#client.create<Lease>(leaseType, fakeLease(node, spec))
    }
  }

  async #renewSome(): Promise<void> {
    for (let count = 0; count < this.#perTurn; count++) {
      const node = this.#nodes[this.#next++ % this.#nodes.length]
      if (node === undefined) return
      try {
        await this.renew(node)
      } catch (reason) {
        this.#onError(reason)
      }
    }
  }
}
