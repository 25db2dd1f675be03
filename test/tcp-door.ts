// A TCP port that stays while what is behind it comes and goes, as a machine's does while processes on it are killed and started.
import { connect, createServer, type Server, type Socket } from 'node:net'

export class TcpDoor {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #target: number | undefined

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (client) => this.#pass(client))
  }

  static async open(): Promise<TcpDoor> {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    return new TcpDoor(server, address.port)
  }

  /** Connections from now on go to that port of this machine. */
  lead(port: number): void {
    this.#target = port
  }

  /** Every connection breaks in the middle of whatever it carries, and none is taken. */
  cut(): void {
    this.#target = undefined
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => void this.#server.close(resolve))
  }

  #pass(client: Socket): void {
    client.on('error', () => client.destroy())
    if (this.#target === undefined) {
      client.destroy()
      return
    }
    const server = connect(this.#target, '127.0.0.1')
    server.on('error', () => server.destroy())
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server).pipe(client)
  }
}
