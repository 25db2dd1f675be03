// One TCP port of a Service: takes connections, and joins each with one to an endpoint, of several if the first ones refuse.
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pause } from '../../client/pause.ts'
import { Balancer } from './balancer.ts'
import type { Connections } from './connections.ts'
import type { ProxyEndpoint, ProxyPort } from './proxy-ports.ts'

/** Opens a connection to an endpoint, here or on another machine. */
export type Dial = (endpoint: ProxyEndpoint) => Promise<Duplex>

export interface TcpPortOptions {
  readonly address: string
  readonly port: number
  readonly dial: Dial
  readonly connections: Connections
  readonly onError: (error: Error) => void
}

const triesMax = 3
const backlogMax = 512
/** Where somebody else has the port: a pod that listens everywhere, which then serves it, or another agent of the machine. */
const takenRetryMs = 5000
/** Where the endpoint does not answer yet. */
const notYetRetryMs = 250

export class TcpPort {
  readonly #options: TcpPortOptions
  readonly #balancer = new Balancer(() => performance.now())
  readonly #closing = new AbortController()
  #current: ProxyPort
  #server: Server | undefined
  #told = ''

  constructor(current: ProxyPort, options: TcpPortOptions) {
    this.#options = options
    this.#current = current
    this.set(current)
    void this.#open()
  }

  /** Connections that stand stay where they are. */
  set(current: ProxyPort): void {
    this.#current = current
    this.#balancer.set(current.endpoints, current.affinityMs)
  }

  /** Connections that stand go on, as under upstream's proxies. */
  close(): void {
    this.#closing.abort()
    this.#server?.close()
  }

  /** Until the port is ours. Never rejects. */
  async #open(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      if (!(await this.#mayListen())) {
        await pause(notYetRetryMs, signal)
        continue
      }
      try {
        const server = await this.#listen()
        if (!signal.aborted) this.#server = server
        else server.close()
        return
      } catch (reason) {
        this.#tell(reason)
        await pause(takenRetryMs, signal)
      }
    }
  }

  /**
   * A pod of this machine that listens at every address has this port here too, if its number is the same, and could not begin to after us:
   * so it goes first.
   */
  async #mayListen(): Promise<boolean> {
    const [same] = this.#current.endpoints.filter(({ port }) => port === this.#options.port)
    if (same === undefined) return true
    try {
      const connection = await this.#options.dial(same)
      connection.destroy()
      return true
    } catch {
      // It does not answer yet, which is nobody's failure.
      return false
    }
  }

  #listen(): Promise<Server> {
    const { address: host, port } = this.#options
    const server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true },
      (client) => {
        void this.#serve(client)
      },
    )
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: backlogMax }, () => {
        server.removeListener('error', reject)
        server.on('error', this.#options.onError)
        resolve(server)
      })
    })
  }

  /** Once. Who has the port serves it, so that is no failure. */
  #tell(reason: unknown): void {
    const code = reason instanceof Error && 'code' in reason ? String(reason.code) : ''
    if (code === 'EADDRINUSE' || code === this.#told) return
    this.#told = code
    const { address, port, onError } = this.#options
    const text = reason instanceof Error ? reason.message : String(reason)
    onError(new Error(`no service at ${address}:${port}: ${text}`, { cause: reason }))
  }

  async #serve(client: Socket): Promise<void> {
    client.on('error', () => client.destroy())
    if (!this.#options.connections.add(client)) {
      client.resetAndDestroy()
      return
    }
    const far = await this.#dial(client)
    if (far === undefined) client.resetAndDestroy()
    else if (client.destroyed) far.destroy()
    else join(client, far)
  }

  async #dial(client: Socket): Promise<Duplex | undefined> {
    const tried: ProxyEndpoint[] = []
    while (tried.length < triesMax && !client.destroyed) {
      const endpoint = this.#balancer.pick(client.remoteAddress ?? '', tried)
      if (endpoint === undefined) return undefined
      try {
        return await this.#options.dial(endpoint)
      } catch {
        // The next one is tried; that none answers is told by the connection's end.
        tried.push(endpoint)
      }
    }
    return undefined
  }
}

const join = (client: Socket, far: Duplex): void => {
  far.on('error', () => client.resetAndDestroy())
  client.on('error', () => far.destroy())
  client.once('close', () => far.destroy())
  far.once('close', () => {
    // What came is passed on first.
    if (!client.writableEnded) client.destroySoon()
  })
  client.pipe(far)
  far.pipe(client)
}
