// One UDP port of a Service: what a client sends goes to one endpoint for as long as the client is not silent, and the answers go back.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { Balancer } from './balancer.ts'
import type { ProxyPort } from './proxy-ports.ts'

const clientsMax = 1000
const idleMs = 60_000
const takenRetryMs = 5000

interface Flow {
  readonly socket: Socket
  timer: NodeJS.Timeout
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
      socket.connect(endpoint.port, endpoint.address, () => socket.send(bytes, () => undefined))
      flow = { socket, timer: setTimeout(() => this.#end(key), idleMs) }
      this.#flows.set(key, flow)
      return
    }
    flow.timer.refresh()
    flow.socket.send(bytes, () => undefined)
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
