// The peer port: raft's WebSocket upgrades, and over plain HTTP the lease questions of members that follow.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { KvError } from '../errors.ts'

/** True if it took the request. */
export type PeerRequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean

export interface PeerServer {
  readonly server: Server
  /** Takes over the requests; until then they are answered with 503. */
  serve(handler: PeerRequestHandler): void
  close(): Promise<void>
}

const requestTimeoutMs = 10_000
const headerSizeBytesMax = 16_384

/** Rejects with an error that names --listen-peer-urls. */
export async function listenPeers(urls: readonly string[]): Promise<PeerServer> {
  const [url, ...more] = urls
  if (url === undefined || more.length > 0 || !URL.canParse(url)) {
    const message = `--listen-peer-urls is '${urls.join(',')}'; want one URL like http://127.0.0.1:2380`
    throw new KvError('INTERNAL', { message })
  }
  let handler: PeerRequestHandler | undefined
  const options = { maxHeaderSize: headerSizeBytesMax, requestTimeout: requestTimeoutMs }
  const server = createServer(options, (request, response) => {
    if (handler === undefined) response.writeHead(503).end()
    else if (!handler(request, response)) response.writeHead(404).end()
  })
  await listen(server, url)
  return {
    server,
    serve: (taken) => {
      handler = taken
    },
    close: () => close(server),
  }
}

function listen(server: Server, url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  // An IPv6 host stands in brackets in a URL and without them in a socket's address.
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? 'the port is in use; stop what listens there or choose another port'
          : cause.message
      const message = `--listen-peer-urls: cannot listen on ${url}: ${why}`
      reject(new KvError('INTERNAL', { message, cause }))
    })
    server.listen({ port: Number(port === '' ? 80 : port), host }, resolve)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
