// A TCP proxy that cuts its connections at a chosen chunk: before it is passed on, in the middle of it, or after.
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

export interface Cut {
  readonly direction: 'toServer' | 'toClient'
  readonly when: 'before' | 'middle' | 'after'
  /** Chunks of that direction that pass first. */
  readonly chunks: number
}

export class CuttingProxy implements AsyncDisposable {
  readonly url: string
  readonly #close: () => Promise<void>
  readonly #armed: { cut: (Cut & { chunks: number }) | undefined }

  private constructor(
    url: string,
    armed: { cut: (Cut & { chunks: number }) | undefined },
    close: () => Promise<void>,
  ) {
    this.url = url
    this.#armed = armed
    this.#close = close
  }

  static async open(target: string): Promise<CuttingProxy> {
    const { hostname, port } = new URL(target)
    const armed: { cut: (Cut & { chunks: number }) | undefined } = { cut: undefined }
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname)
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
        socket.on('error', () => socket.destroy())
      }
      client.on('close', () => upstream.end())
      upstream.on('close', () => client.destroy())
      client.on('data', (chunk) => pass(armed, 'toServer', chunk, { to: upstream, client }))
      upstream.on('data', (chunk) => pass(armed, 'toClient', chunk, { to: client, client }))
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return new CuttingProxy(`http://127.0.0.1:${address.port}`, armed, async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    })
  }

  /** The next connection that gets there is cut, once. */
  arm(cut: Cut): void {
    this.#armed.cut = { ...cut }
  }

  /** True once the cut was made. */
  get isDone(): boolean {
    return this.#armed.cut === undefined
  }

  disarm(): void {
    this.#armed.cut = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

function pass(
  armed: { cut: (Cut & { chunks: number }) | undefined },
  direction: Cut['direction'],
  chunk: Buffer,
  { to, client }: { readonly to: Socket; readonly client: Socket },
): void {
  const { cut } = armed
  if (cut === undefined || cut.direction !== direction) {
    to.write(chunk)
    return
  }
  if (cut.chunks > 0) {
    armed.cut = { ...cut, chunks: cut.chunks - 1 }
    to.write(chunk)
    return
  }
  armed.cut = undefined
  // What was passed on before is still delivered: end() flushes, the client's end breaks at once.
  if (cut.when === 'middle') to.write(chunk.subarray(0, chunk.length >> 1))
  if (cut.when === 'after') to.write(chunk)
  if (to === client) client.end()
  client.destroySoon()
}
