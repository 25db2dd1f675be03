// How much of something there is on every node and in every domain of one topology key, kept up to date change by change.
import { assert } from '@balsa/raft/assert'

export class DomainCounts {
  readonly topologyKey: string
  readonly #byNode = new Map<string, number>()
  readonly #byDomain = new Map<string, number>()
  #total = 0

  constructor(topologyKey: string) {
    this.topologyKey = topologyKey
  }

  /** Over all nodes, also those without the topology key. */
  get total(): number {
    return this.#total
  }
  onNode(name: string): number {
    return this.#byNode.get(name) ?? 0
  }
  in(domain: string): number {
    return this.#byDomain.get(domain) ?? 0
  }
  /** Domains with something in them. */
  get domains(): ReadonlyMap<string, number> {
    return this.#byDomain
  }

  /** `domain`: the node's value of the topology key; undefined where it has none. */
  add(node: string, domain: string | undefined, amount: number): void {
    this.#total += amount
    change(this.#byNode, node, amount)
    if (domain !== undefined) change(this.#byDomain, domain, amount)
  }

  /** The node's value of the topology key has changed. */
  move(node: string, from: string | undefined, to: string | undefined): void {
    const amount = this.#byNode.get(node)
    if (amount === undefined || from === to) return
    if (from !== undefined) change(this.#byDomain, from, -amount)
    if (to !== undefined) change(this.#byDomain, to, amount)
  }
}

const change = (counts: Map<string, number>, key: string, amount: number): void => {
  const next = (counts.get(key) ?? 0) + amount
  assert(next >= 0, 'what is counted was added before')
  if (next === 0) counts.delete(key)
  else counts.set(key, next)
}
