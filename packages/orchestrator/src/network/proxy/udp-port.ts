// One UDP port of a Service: what a client sends goes to one endpoint for as long as the client is not silent, and the answers go back.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { Balancer } from './balancer.ts'
import type { ProxyPort } from './proxy-ports.ts'

const clientsMax = 1000
const idleMs = 60_000
const takenRetryMs = 5000
const waitingMax = 32

interface Flow {
  readonly socket: Socket
  readonly timer: NodeJS.Timeout
  /** What came before the socket was connected; undefined: it is. */
  waiting: Buffer[] | undefined
}

export class UdpPort {
  readonly #balancer = new Balancer(() => performance.now())
  readonly #flows = new Map<string, Flow>()
  readonly #address: string
  readonly #port: number
  readonly #onError: (error: Error) => void
  #socket: Socket | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(current: ProxyPort, onError: (error: Error) => void) {
    this.#address = current.address
    this.#port = current.port
    this.#onError = onError
    this.set(current)
    this.#open()
  }

  set({ endpoints, affinityMs }: ProxyPort): void {
    this.#balancer.set(endpoints, affinityMs)
    // The next datagram of each client finds an endpoint of now.
    this.#endFlows()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#socket?.close()
    this.#socket = undefined
    this.#endFlows()
  }

  #open(): void {
    if (this.#isClosed) return
    const socket = createSocket('udp4')
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      if (this.#socket === socket) this.#socket = undefined
      // Their answers would go out where nothing can any more.
      this.#endFlows()
      // Somebody else has it: another agent of this machine.
      if (error.code !== 'EADDRINUSE') this.#onError(error)
      this.#retry = setTimeout(() => this.#open(), takenRetryMs)
    })
    socket.on('message', (bytes, from) => this.#pass(socket, bytes, from))
    socket.bind(this.#port, this.#address, () => {
      if (this.#isClosed) socket.close()
      else this.#socket = socket
    })
  }

  #pass(near: Socket, bytes: Buffer, from: RemoteInfo): void {
    const key = `${from.address}:${from.port}`
    let flow = this.#flows.get(key)
    if (flow === undefined) {
      const endpoint = this.#balancer.pick(from.address, [])
      if (endpoint === undefined || this.#flows.size >= clientsMax) return
      const socket = createSocket('udp4')
      // As on any way of datagrams: what cannot be passed on is lost.
      socket.on('error', () => this.#end(key))
      socket.on('message', (answer) => near.send(answer, from.port, from.address, () => undefined))
      const made: Flow = { socket, timer: setTimeout(() => this.#end(key), idleMs), waiting: [] }
      flow = made
      this.#flows.set(key, made)
      socket.once('connect', () => {
        const { waiting = [] } = made
        made.waiting = undefined
        for (const one of waiting) socket.send(one, () => undefined)
      })
      try {
        // Without a callback, which would be told of an address that cannot be: 'error' is.
        socket.connect(endpoint.port, endpoint.address)
      } catch {
        // A slice may name any number, also one that no port has.
        this.#end(key)
        return
      }
    }
    flow.timer.refresh()
    if (flow.waiting === undefined) flow.socket.send(bytes, () => undefined)
    else if (flow.waiting.length < waitingMax) flow.waiting.push(bytes)
  }

  #end(key: string): void {
    const flow = this.#flows.get(key)
    if (flow === undefined) return
    this.#flows.delete(key)
    clearTimeout(flow.timer)
    flow.socket.close()
  }

  #endFlows(): void {
    for (const key of this.#flows.keys()) this.#end(key)
  }
}
