// The wires between simulated members: messages are lost, delayed, reordered and repeated, links are clogged, or cut in one or both directions. All
// chances come from the run's seed. Rates and cuts can be changed at any time.
import { crc32 } from 'node:zlib'
import type { Message, NodeId, SnapshotMeta } from '../core/types.ts'
import type { SnapshotStream, Transport, TransportHandler } from '../node/ports.ts'
import { protocolVersions, type ProtocolVersion } from '../transport/protocol-version.ts'
import { Gate } from './gate.ts'
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
  slow: number
  overtaken: number
  blocked: number
  clogged: number
  snapshots: number
  /** Snapshots that went on where they had broken off. */
  resumed: number
}

/** Messages as bytes: what a real wire would carry. */
export interface WireFormat {
  /** Undefined for what that version cannot say. */
  encode(message: Message, version: ProtocolVersion): Uint8Array | undefined
  decode(bytes: Uint8Array, link: MessageLink): Message
  /** Whether a snapshot can be sent at all. */
  canSend(snapshot: SnapshotMeta, version: ProtocolVersion): boolean
}

/** What the two ends of a connection have agreed on. */
export interface MessageLink {
  readonly from: NodeId
  readonly to: NodeId
  readonly version: ProtocolVersion
}

export interface SimNetworkOptions {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  /** Without one the very objects arrive. */
  readonly wire?: WireFormat
  /** Called for every message that arrives, with a checksum of its bytes. */
  readonly onDelivered?: (message: Message, fingerprint: number) => void
}

/** One life of a member, as the network sees it. */
export interface EndpointOptions {
  readonly gate: Gate
  /** The newest that it speaks. */
  readonly version: ProtocolVersion
}

/** One direction between two members. */
interface Link {
  /** When the last message arrives. */
  arrival: number
  /** Nothing arrives before. */
  cloggedUntil: number
}

export class SimNetwork {
  readonly #options: SimNetworkOptions
  readonly #endpoints = new Map<NodeId, SimTransport>()
  readonly #links = new Map<NodeId, Map<NodeId, Link>>()
  #isBlocked: (from: NodeId, to: NodeId) => boolean = () => false
  faults: NetworkFaults = noNetworkFaults
  readonly counts: NetworkCounts = {
    sent: 0,
    lost: 0,
    repeated: 0,
    slow: 0,
    overtaken: 0,
    blocked: 0,
    clogged: 0,
    snapshots: 0,
    resumed: 0,
  }

  constructor(options: SimNetworkOptions) {
    this.#options = options
  }

  /** A new life of the member: its older transport gets nothing any more. */
  connect(id: NodeId, life: Partial<EndpointOptions> = {}): SimTransport {
    this.#endpoints.get(id)?.stop()
    const transport = new SimTransport(this, id, {
      gate: life.gate ?? new Gate(this.#options.scheduler),
      version: life.version ?? protocolVersions.max,
    })
    this.#endpoints.set(id, transport)
    return transport
  }

  /** Cuts every link (one direction) for which `isBlocked` says so. */
  block(isBlocked: (from: NodeId, to: NodeId) => boolean): void {
    this.#isBlocked = isBlocked
  }

  /** From now on nothing that is sent arrives before `until`; then all of it does. */
  clog(from: NodeId, to: NodeId, until: number): void {
    this.#link(from, to).cloggedUntil = until
  }

  heal(): void {
    this.#isBlocked = () => false
    for (const links of this.#links.values()) {
      for (const link of links.values()) link.cloggedUntil = 0
    }
  }

  #link(from: NodeId, to: NodeId): Link {
    let links = this.#links.get(from)
    if (links === undefined) this.#links.set(from, (links = new Map<NodeId, Link>()))
    let link = links.get(to)
    if (link === undefined) links.set(to, (link = { arrival: 0, cloggedUntil: 0 }))
    return link
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
    const { wire } = this.#options
    const version = this.#versionBetween(message.from, message.to)
    const bytes = wire?.encode(message, version)
    if (wire !== undefined && bytes === undefined) return true
    this.#deliverLater(message, version, bytes)
    if (random.chance(repeatRate)) {
      this.counts.repeated++
      this.#deliverLater(message, version, bytes)
    }
    return true
  }

  #versionBetween(from: NodeId, to: NodeId): ProtocolVersion {
    const sender = this.#endpoints.get(from)?.version ?? protocolVersions.max
    const receiver = this.#endpoints.get(to)?.version ?? protocolVersions.max
    return sender < receiver ? sender : receiver
  }

  #deliverLater(message: Message, version: ProtocolVersion, bytes: Uint8Array | undefined): void {
    const { from, to } = message
    this.#options.scheduler.after(this.#delayMs(from, to), () => {
      const endpoint = this.#endpoints.get(to)
      if (endpoint?.isAlive !== true || this.#isBlocked(from, to)) return
      endpoint.gate.pass('io', () => {
        const { wire } = this.#options
        const isOnWire = wire !== undefined && bytes !== undefined
        const received = isOnWire ? wire.decode(bytes, { from, to, version }) : message
        this.#deliver(endpoint, received, bytes)
      })
    })
  }

  #deliver(endpoint: SimTransport, message: Message, bytes: Uint8Array | undefined): void {
    if (!endpoint.deliver(message)) return
    this.#options.onDelivered?.(message, bytes === undefined ? 0 : crc32(bytes))
  }

  #delayMs(from: NodeId, to: NodeId): number {
    const { scheduler, random } = this.#options
    const { delayMinMs, delayMaxMs, delaySlowMs, slowRate, isOrdered } = this.faults
    const isSlow = random.chance(slowRate)
    if (isSlow) this.counts.slow++
    const link = this.#link(from, to)
    const delayMs = delayMinMs + random.next() * ((isSlow ? delaySlowMs : delayMaxMs) - delayMinMs)
    let arrival = scheduler.now + delayMs
    if (arrival < link.cloggedUntil) {
      this.counts.clogged++
      arrival = link.cloggedUntil
    }
    if (arrival >= link.arrival) link.arrival = arrival
    else if (isOrdered) arrival = link.arrival
    else this.counts.overtaken++
    return arrival - scheduler.now
  }

  /** One chunk's way; rejects when the stream breaks. */
  async carryChunk(from: SimTransport, to: NodeId): Promise<void> {
    await new Promise<void>((resolve) => {
      const forget = from.whenStopped(resolve)
      this.#options.scheduler.after(this.#delayMs(from.id, to), () => {
        from.gate.pass('io', () => {
          forget()
          resolve()
        })
      })
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
    const version = this.#versionBetween(from.id, to)
    if (this.#options.wire?.canSend(stream.meta, version) === false) {
      throw new Error(`Member ${to} is too old for the snapshot`)
    }
    this.counts.snapshots++
    await endpoint.receive(from.id, {
      meta: stream.meta,
      // Version 1 has no word for it: such a stream always begins anew.
      id: version === 1 ? undefined : stream.id,
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
  readonly gate: Gate
  readonly version: ProtocolVersion
  readonly #network: SimNetwork
  #handler: TransportHandler | undefined
  #isAlive = true
  readonly #onStop = new Set<() => void>()

  constructor(network: SimNetwork, id: NodeId, { gate, version }: EndpointOptions) {
    this.#network = network
    this.id = id
    this.gate = gate
    this.version = version
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
    let forget = (): void => {}
    const broken = new Promise<never>((_, reject) => {
      forget = this.whenStopped(() => {
        reject(new Error(`${this.id} is gone`))
      })
    })
    try {
      await Promise.race([handler.snapshot(from, stream), broken])
    } finally {
      forget()
    }
  }

  /** Calls back when the process is gone; returns how to forget it. */
  whenStopped(callback: () => void): () => void {
    this.#onStop.add(callback)
    return () => {
      this.#onStop.delete(callback)
    }
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
    for (const callback of this.#onStop) callback()
    this.#onStop.clear()
  }
}
