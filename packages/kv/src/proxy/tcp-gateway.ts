// A TCP front for a cluster: each connection goes to the next member that can be reached; one that cannot is left alone for a while.
// What goes through is not looked at, so TLS is between client and member.
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** Connections at a time; those past it are closed at once. */
export const gatewayConnectionsMax = 10_000
const dialTimeoutMs = 5000

/** Where a member listens. */
export interface GatewayTarget {
  readonly host: string
  readonly port: number
  /** Of SRV records: lower numbers are asked first. */
  readonly priority: number
  /** Of SRV records: how often one is taken among those of its priority. */
  readonly weight: number
}

export interface TcpGatewayOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly targets: readonly GatewayTarget[]
  /** How long a target is left alone that could not be reached. */
  readonly retryDelayMs: number
  readonly onUnreachable?: (target: GatewayTarget, reason: Error) => void
}

export interface TcpGateway {
  /** host:port, with the real port. */
  readonly address: string
  /** Closes all connections. */
  close(): Promise<void>
}

/** Rejects if it cannot listen. */
export async function startTcpGateway(options: TcpGatewayOptions): Promise<TcpGateway> {
  const picker = new TargetPicker(options.targets, options.retryDelayMs)
  const sockets = new Set<Socket>()
  const hold = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const server = createServer(
    { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
    (client) => {
      hold(client)
      dial(client)
    },
  )
  server.maxConnections = gatewayConnectionsMax

  function dial(client: Socket): void {
    const target = picker.next(performance.now())
    if (target === undefined || client.destroyed) {
      client.destroy()
      return
    }
    const { host, port } = target
    const member = connect({ host, port, noDelay: true, allowHalfOpen: true })
    const fail = (reason: Error): void => {
      member.destroy()
      picker.failed(target, performance.now())
      options.onUnreachable?.(target, reason)
      dial(client)
    }
    const timer = setTimeout(() => fail(new Error('the connection takes too long')), dialTimeoutMs)
    member.once('error', fail)
    member.once('close', () => clearTimeout(timer))
    member.once('connect', () => {
      clearTimeout(timer)
      member.off('error', fail)
      hold(member)
      join(client, member)
    })
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => resolve())
  })
  const { port } = server.address() as AddressInfo
  const shownHost = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    address: `${shownHost}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function join(client: Socket, member: Socket): void {
  client.pipe(member)
  member.pipe(client)
  client.on('close', () => member.destroy())
  member.on('close', () => client.destroy())
}

/** Takes targets in turn, by their weight, from the lowest priority that has one that may be reached. */
class TargetPicker {
  readonly #targets: readonly GatewayTarget[]
  readonly #retryDelayMs: number
  /** When one that failed may be tried again. */
  readonly #restingUntilMs = new Map<GatewayTarget, number>()
  /** How often each was taken, by its weight: the least comes next. */
  readonly #pace = new Map<GatewayTarget, number>()

  constructor(targets: readonly GatewayTarget[], retryDelayMs: number) {
    this.#targets = targets
    this.#retryDelayMs = retryDelayMs
  }

  /** Undefined: none is left. */
  next(nowMs: number): GatewayTarget | undefined {
    const awake = this.#targets.filter((each) => (this.#restingUntilMs.get(each) ?? 0) <= nowMs)
    const lowest = Math.min(...awake.map((each) => each.priority))
    const candidates = awake.filter((each) => each.priority === lowest)
    let best: GatewayTarget | undefined
    for (const each of candidates) {
      if (best === undefined || this.#paceOf(each) < this.#paceOf(best)) best = each
    }
    if (best !== undefined) this.#pace.set(best, this.#paceOf(best) + 1 / Math.max(1, best.weight))
    return best
  }

  failed(target: GatewayTarget, nowMs: number): void {
    this.#restingUntilMs.set(target, nowMs + this.#retryDelayMs)
    // When it is back it is one among others, not the one that has some to make up for.
    this.#pace.set(target, Math.max(...this.#targets.map((each) => this.#paceOf(each))))
  }

  #paceOf(target: GatewayTarget): number {
    return this.#pace.get(target) ?? 0
  }
}
