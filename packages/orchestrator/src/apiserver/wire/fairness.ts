// Who waits when there is too much to do: requests are sorted into levels of priority, each with seats of its own, and within a level into
// flows, one for each user, which take turns. A free seat costs a counter; a full queue is answered with 429.
import { ApiError } from '../../client/api-client.ts'
import { isMaster } from '../access/user.ts'
import type { AccessAttributes } from '../access/authorizer.ts'

interface LevelOptions {
  readonly name: string
  readonly seats: number
  matches(attributes: AccessAttributes): boolean
}

const queuedMax = 128
const flowQueuedMax = 64
const waitMsMax = 15_000
/** Requests that last as long as their clients like take no seat. */
const longSubresources = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])

const isGroup = (attributes: AccessAttributes, group: string): boolean =>
  attributes.user.groups.includes(group)
const isLease = ({ group, resource }: AccessAttributes): boolean =>
  group === 'coordination.k8s.io' && resource === 'leases'

/** In order; the shares are upstream's of 600 seats. */
const levels: readonly LevelOptions[] = [
  { name: 'node-high', seats: 98, matches: (one) => isGroup(one, 'system:nodes') && isLease(one) },
  { name: 'system', seats: 74, matches: (one) => isGroup(one, 'system:nodes') },
  {
    name: 'leader-election',
    seats: 25,
    matches: (one) => isLease(one) && one.user.name.startsWith('system:'),
  },
  {
    name: 'workload-high',
    seats: 98,
    matches: ({ user }) =>
      user.name.startsWith('system:kube-') ||
      user.name.startsWith('system:serviceaccount:kube-system:'),
  },
  { name: 'workload-low', seats: 245, matches: (one) => isGroup(one, 'system:serviceaccounts') },
  { name: 'global-default', seats: 49, matches: (one) => isGroup(one, 'system:authenticated') },
  { name: 'catch-all', seats: 13, matches: () => true },
]

interface Waiter {
  readonly admit: () => void
  readonly refuse: () => void
}

class Level {
  readonly #seats: number
  #used = 0
  #queued = 0
  /** In the order in which they have their turn. */
  readonly #flows = new Map<string, Waiter[]>()

  constructor({ seats }: LevelOptions) {
    this.#seats = seats
  }

  /** undefined: a seat was free. */
  enter(flow: string): Promise<void> | undefined {
    if (this.#used < this.#seats) {
      this.#used++
      return undefined
    }
    const waiting = this.#flows.get(flow) ?? []
    if (this.#queued >= queuedMax || waiting.length >= flowQueuedMax) throw tooManyRequests()
    this.#flows.set(flow, waiting)
    this.#queued++
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#leaveQueue(flow, waiter)
        reject(tooManyRequests())
      }, waitMsMax)
      const waiter: Waiter = {
        admit: () => {
          clearTimeout(timer)
          resolve()
        },
        refuse: () => {
          clearTimeout(timer)
          reject(tooManyRequests())
        },
      }
      waiting.push(waiter)
    })
  }

  /** The seat goes to the flow whose turn it is. */
  leave(): void {
    const next = this.#flows.entries().next()
    if (next.done === true) {
      this.#used--
      return
    }
    const [flow, waiting] = next.value
    const waiter = waiting.shift()
    this.#queued--
    this.#flows.delete(flow)
    if (waiting.length > 0) this.#flows.set(flow, waiting)
    waiter?.admit()
  }

  close(): void {
    for (const waiting of this.#flows.values()) for (const waiter of waiting) waiter.refuse()
    this.#flows.clear()
    this.#queued = 0
  }

  #leaveQueue(flow: string, waiter: Waiter): void {
    const waiting = this.#flows.get(flow)
    const index = waiting?.indexOf(waiter) ?? -1
    if (waiting === undefined || index === -1) return
    waiting.splice(index, 1)
    this.#queued--
    if (waiting.length === 0) this.#flows.delete(flow)
  }
}

export class Fairness {
  readonly #levels: readonly { readonly options: LevelOptions; readonly level: Level }[]

  /** `seats`: for tests, that many on every level. */
  constructor(seats?: number) {
    this.#levels = levels.map((options) => ({
      options,
      level: new Level(seats === undefined ? options : { ...options, seats }),
    }))
  }

  /** Runs `request` when it is its turn. Throws ApiError TooManyRequests when too many wait already. */
  async run(attributes: AccessAttributes, request: () => Promise<void> | void): Promise<void> {
    if (isExempt(attributes)) return request()
    const found = this.#levels.find(({ options }) => options.matches(attributes))
    if (found === undefined) return request()
    const turn = found.level.enter(attributes.user.name)
    if (turn !== undefined) await turn
    try {
      await request()
    } finally {
      found.level.leave()
    }
    return undefined
  }

  close(): void {
    for (const { level } of this.#levels) level.close()
  }
}

const isExempt = (attributes: AccessAttributes): boolean =>
  isMaster(attributes.user) ||
  attributes.verb === 'watch' ||
  longSubresources.has(attributes.subresource)

const tooManyRequests = (): ApiError =>
  new ApiError(429, 'TooManyRequests', 'Too many requests, please try again later.', {
    retryAfterSeconds: 1,
  })
