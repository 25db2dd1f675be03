// A Transport between members of one process, for tests and embedders: no faults, one hop of the event loop per delivery.
import type { Message, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, SnapshotStream, Transport, TransportHandler } from '../node/ports.ts'
import { nodeClock } from '../node/clock-node.ts'

export class MemoryNetwork {
  readonly #clock: Clock
  readonly #handlers = new Map<NodeId, TransportHandler>()
  readonly #isolated = new Set<NodeId>()

  constructor(clock: Clock = nodeClock) {
    this.#clock = clock
  }

  transport(id: NodeId): Transport {
    return {
      start: (handler) => {
        this.#handlers.set(id, handler)
        return Promise.resolve()
      },
      send: (messages) => {
        this.#deliver(id, messages)
      },
      sendSnapshot: (to, stream) => this.#sendSnapshot({ from: id, to }, stream),
      setPeers() {},
      close: () => {
        this.#handlers.delete(id)
        return Promise.resolve()
      },
    }
  }

  /** Messages from and to an isolated member are lost. */
  setIsolated(id: NodeId, isIsolated: boolean): void {
    if (isIsolated) this.#isolated.add(id)
    else this.#isolated.delete(id)
  }

  #find(from: NodeId, to: NodeId): TransportHandler | undefined {
    if (this.#isolated.has(from) || this.#isolated.has(to)) return undefined
    return this.#handlers.get(to)
  }

  #deliver(from: NodeId, messages: readonly Message[]): void {
    if (messages.length === 0) return
    this.#clock.defer(() => {
      for (const message of messages) {
        const handler = this.#find(from, message.to)
        if (handler === undefined) this.#handlers.get(from)?.unreachable(message.to)
        else handler.message(message)
      }
    })
  }

  async #sendSnapshot(
    { from, to }: { readonly from: NodeId; readonly to: NodeId },
    stream: SnapshotStream,
  ): Promise<void> {
    const handler = this.#find(from, to)
    if (handler === undefined) throw new RaftError('TIMEOUT', `Member ${to} cannot be reached`)
    await handler.snapshot(from, stream)
  }
}
