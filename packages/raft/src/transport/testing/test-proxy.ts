// A TCP proxy before one member: tells the kinds of peer connections apart by their first bytes, counts what goes through, and can stall or
// cut them.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'

export type ConnectionKind = 'control' | 'bulk' | 'snapshot' | 'other'

interface Proxied {
  readonly kind: ConnectionKind
  readonly incoming: Socket
  readonly outgoing: Socket
}

export class TestProxy {
  readonly #server: Server
  /** The port of the member behind; it may come back at another. */
  target: number
  readonly #open = new Set<Proxied>()
  readonly #stalled = new Set<ConnectionKind>()
  /** Bytes from the one that connects to the member behind. */
  readonly bytes: Record<ConnectionKind, number> = { control: 0, bulk: 0, snapshot: 0, other: 0 }
  readonly opened: Record<ConnectionKind, number> = { control: 0, bulk: 0, snapshot: 0, other: 0 }
  /** Called with the bytes of one connection so far; true cuts it. */
  cutAfter: (kind: ConnectionKind, bytes: number) => boolean = () => false

  private constructor(target: number) {
    this.target = target
    this.#server = createServer((incoming) => {
      this.#accept(incoming)
    })
  }

  static async before(port: number): Promise<TestProxy> {
    const proxy = new TestProxy(port)
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve)
    })
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #accept(incoming: Socket): void {
    incoming.on('error', () => incoming.destroy())
    incoming.once('data', (head) => {
      this.#forward(incoming, head)
    })
  }

  #forward(incoming: Socket, head: Buffer): void {
    const kind = kindOf(head.toString('latin1'))
    const outgoing = connect(this.target, '127.0.0.1')
    const proxied = { kind, incoming, outgoing }
    this.#open.add(proxied)
    this.opened[kind]++
    let bytes = 0
    outgoing.write(head)
    incoming.on('data', (data) => {
      bytes += data.length
      this.bytes[kind] += data.length
      if (this.cutAfter(kind, bytes)) cut(proxied)
      else if (!outgoing.write(data)) incoming.pause()
    })
    outgoing.on('drain', () => {
      if (!this.#stalled.has(kind)) incoming.resume()
    })
    outgoing.on('data', (data) => incoming.write(data))
    outgoing.on('error', () => outgoing.destroy())
    for (const socket of [incoming, outgoing]) {
      socket.on('close', () => {
        cut(proxied)
        this.#open.delete(proxied)
      })
    }
    if (this.#stalled.has(kind)) incoming.pause()
  }

  /** Nothing of that kind is read any more, as on a network that drops it. */
  stall(kind: ConnectionKind): void {
    this.#stalled.add(kind)
    for (const open of this.#open) if (open.kind === kind) open.incoming.pause()
  }

  flow(kind: ConnectionKind): void {
    this.#stalled.delete(kind)
    for (const open of this.#open) if (open.kind === kind) open.incoming.resume()
  }

  cut(kind: ConnectionKind): void {
    for (const open of this.#open) if (open.kind === kind) cut(open)
  }

  async close(): Promise<void> {
    for (const open of this.#open) cut(open)
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function cut({ incoming, outgoing }: Proxied): void {
  incoming.destroy()
  outgoing.destroy()
}

function kindOf(head: string): ConnectionKind {
  if (head.startsWith('GET /raft/snapshot')) return 'snapshot'
  if (/balsa-lane: control/i.test(head)) return 'control'
  return /balsa-lane: bulk/i.test(head) ? 'bulk' : 'other'
}
