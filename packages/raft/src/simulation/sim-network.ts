// The wires between simulated members: messages are lost, delayed, reordered and repeated, links are cut in one or both directions. All
// chances come from the run's seed. Rates and cuts can be changed at any time.
import type { Message, NodeId } from '../core/types.ts'
import type { SnapshotStream, Transport, TransportHandler } from '../node/ports.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export interface NetworkFaults {
  readonly lossRate: number
  readonly repeatRate: number
  readonly delayMinMs: number
  readonly delayMaxMs: number
  /** Every now and then a message takes this long. */
  readonly delaySlowMs: number
  readonly slowRate: number
  /** Links keep the order of their messages, as a socket does. */
  readonly isOrdered: boolean
}

export const noNetworkFaults: NetworkFaults = {
  lossRate: 0,
  repeatRate: 0,
  delayMinMs: 1,
  delayMaxMs: 1,
  delaySlowMs: 1,
  slowRate: 0,
  isOrdered: true,
}

export interface NetworkCounts {
  sent: number
  lost: number
  repeated: number
  blocked: number
  snapshots: number
  /** Snapshots that went on where they had broken off. */
  resumed: number
}

export interface SimNetworkOptions {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  /** What a message becomes on the wire; a run may encode and decode it here. */
  readonly transcode?: (message: Message) => Message
  /** Called for every message that arrives. */
  readonly onDelivered?: (message: Message) => void
}

export class SimNetwork {
  readonly #options: SimNetworkOptions
  readonly #endpoints = new Map<NodeId, SimTransport>()
  readonly #arrivals = new Map<string, number>()
  #isBlocked: (from: NodeId, to: NodeId) => boolean = () => false
  faults: NetworkFaults = noNetworkFaults
  readonly counts: NetworkCounts = {
    sent: 0,
    lost: 0,
    repeated: 0,
    blocked: 0,
    snapshots: 0,
    resumed: 0,
  }

  constructor(options: SimNetworkOptions) {
    this.#options = options
  }

  /** A new life of the member: its older transport gets nothing any more. */
  connect(id: NodeId): SimTransport {
    this.#endpoints.get(id)?.stop()
    const transport = new SimTransport(this, id)
    this.#endpoints.set(id, transport)
    return transport
  }

  /** Cuts every link (one direction) for which `isBlocked` says so. */
  block(isBlocked: (from: NodeId, to: NodeId) => boolean): void {
    this.#isBlocked = isBlocked
  }

  heal(): void {
    this.#isBlocked = () => false
  }

  isBlocked(from: NodeId, to: NodeId): boolean {
    return this.#isBlocked(from, to)
  }

  /** Returns false when the sender can notice that nothing gets through. */
  route(message: Message): boolean {
    const { random } = this.#options
    const { lossRate, repeatRate } = this.faults
    this.counts.sent++
    if (this.#isBlocked(message.from, message.to)) {
      this.counts.blocked++
      return false
    }
    if (random.chance(lossRate)) {
      this.counts.lost++
      return true
    }
    this.#deliverLater(message)
    if (random.chance(repeatRate)) {
      this.counts.repeated++
      this.#deliverLater(message)
    }
    return true
  }

  #deliverLater(message: Message): void {
    const { scheduler, transcode, onDelivered } = this.#options
    const onWire = transcode === undefined ? message : transcode(message)
    scheduler.after(this.#delayMs(message.from, message.to), () => {
      const endpoint = this.#endpoints.get(message.to)
      if (endpoint === undefined || this.#isBlocked(message.from, message.to)) return
      if (endpoint.deliver(onWire)) onDelivered?.(onWire)
    })
  }

  #delayMs(from: NodeId, to: NodeId): number {
    const { scheduler, random } = this.#options
    const { delayMinMs, delayMaxMs, delaySlowMs, slowRate, isOrdered } = this.faults
    const max = random.chance(slowRate) ? delaySlowMs : delayMaxMs
    const delay = delayMinMs + random.next() * (max - delayMinMs)
    if (!isOrdered) return delay
    const link = `${from}>${to}`
    const arrival = Math.max(scheduler.now + delay, this.#arrivals.get(link) ?? 0)
    this.#arrivals.set(link, arrival)
    return arrival - scheduler.now
  }

  /** One chunk's way; rejects when the stream breaks. */
  async carryChunk(from: SimTransport, to: NodeId): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#options.scheduler.after(this.#delayMs(from.id, to), resolve)
    })
    const breaks = this.#options.random.chance(this.faults.lossRate / 4)
    if (breaks || !from.isAlive || this.#isBlocked(from.id, to)) {
      throw new Error(`The stream from ${from.id} to ${to} broke`)
    }
  }

  async stream(from: SimTransport, to: NodeId, stream: SnapshotStream): Promise<void> {
    await this.carryChunk(from, to)
    const endpoint = this.#endpoints.get(to)
    if (endpoint === undefined) throw new Error(`Nobody listens at ${to}`)
    this.counts.snapshots++
    await endpoint.receive(from.id, {
      meta: stream.meta,
      id: stream.id,
      chunks: (position) => {
        if (position.offset > 0) this.counts.resumed++
        return this.#relay(from, to, stream.chunks(position))
      },
    })
    await this.carryChunk(from, to)
  }

  async *#relay(
    from: SimTransport,
    to: NodeId,
    chunks: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      await this.carryChunk(from, to)
      yield chunk.slice()
    }
  }
}

export class SimTransport implements Transport {
  readonly id: NodeId
  readonly #network: SimNetwork
  #handler: TransportHandler | undefined
  #isAlive = true
  #breakStreams: (() => void)[] = []

  constructor(network: SimNetwork, id: NodeId) {
    this.#network = network
    this.id = id
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  start(handler: TransportHandler): Promise<void> {
    this.#handler = handler
    return Promise.resolve()
  }

  send(messages: readonly Message[]): void {
    if (!this.#isAlive) return
    for (const message of messages) {
      if (!this.#network.route(message)) this.#handler?.unreachable(message.to)
    }
  }

  deliver(message: Message): boolean {
    if (!this.#isAlive || this.#handler === undefined) return false
    this.#handler.message(message)
    return true
  }

  sendSnapshot(to: NodeId, stream: SnapshotStream): Promise<void> {
    return this.#network.stream(this, to, stream)
  }

  async receive(from: NodeId, stream: SnapshotStream): Promise<void> {
    const handler = this.#handler
    if (!this.#isAlive || handler === undefined) throw new Error(`${this.id} is not listening`)
    const broken = new Promise<never>((_, reject) => {
      this.#breakStreams.push(() => {
        reject(new Error(`${this.id} is gone`))
      })
    })
    await Promise.race([handler.snapshot(from, stream), broken])
  }

  /** Addresses do not matter here: members find each other by id. */
  setPeers(): void {}

  close(): Promise<void> {
    this.stop()
    return Promise.resolve()
  }

  /** The process is gone: nothing goes in or out any more. */
  stop(): void {
    this.#isAlive = false
    for (const breakStream of this.#breakStreams) breakStream()
    this.#breakStreams = []
  }
}
