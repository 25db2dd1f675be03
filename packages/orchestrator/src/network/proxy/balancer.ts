// Which endpoint is next: in turn, or the one that a client had before.
import type { ProxyEndpoint } from './proxy-ports.ts'

/** Clients that are remembered at one port; the one that came longest ago is forgotten first. */
const clientsMax = 10_000

const keyOf = ({ address, port }: ProxyEndpoint): string => `${address}:${port}`

export class Balancer {
  readonly #now: () => number
  #endpoints: readonly ProxyEndpoint[] = []
  #affinityMs: number | undefined
  #turn = 0
  readonly #clients = new Map<string, { readonly endpoint: string; readonly atMs: number }>()

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  set(endpoints: readonly ProxyEndpoint[], affinityMs: number | undefined): void {
    this.#endpoints = endpoints
    this.#affinityMs = affinityMs
    if (affinityMs === undefined) this.#clients.clear()
  }

  /** undefined: there is none besides those that were tried. */
  pick(client: string, tried: readonly ProxyEndpoint[]): ProxyEndpoint | undefined {
    const left = this.#endpoints.filter((one) => !tried.includes(one))
    const had = this.#remembered(client)
    const kept = left.find((one) => keyOf(one) === had)
    const endpoint = kept ?? left[this.#turn++ % Math.max(1, left.length)]
    if (endpoint !== undefined) this.#remember(client, keyOf(endpoint))
    return endpoint
  }

  #remembered(client: string): string | undefined {
    const known = this.#clients.get(client)
    if (known === undefined || this.#affinityMs === undefined) return undefined
    return this.#now() - known.atMs <= this.#affinityMs ? known.endpoint : undefined
  }

  #remember(client: string, endpoint: string): void {
    if (this.#affinityMs === undefined) return
    this.#clients.delete(client)
    this.#clients.set(client, { endpoint, atMs: this.#now() })
    if (this.#clients.size <= clientsMax) return
    for (const oldest of this.#clients.keys()) {
      this.#clients.delete(oldest)
      return
    }
  }
}
