// The peer port: raft's WebSocket upgrades, and over plain HTTP the lease questions of members that follow; with certificates, nobody gets as
// far as that without one.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createPeerServer, type PeerTls } from '@balsa/raft'
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
/** Who connects and does not say what it wants is cut off. */
const handshakeTimeoutMs = 5_000
/** More sockets than members and their questions need. */
const socketsMax = 512
const headerSizeBytesMax = 16_384

export interface ListenPeersOptions {
  /** Undefined: http, and anyone who names the cluster is believed. */
  readonly tls: PeerTls | undefined
  /** Somebody without a certificate that counts. */
  readonly onRefused: (error: Error) => void
}

/** Rejects with an error that names --listen-peer-urls. */
export async function listenPeers(
  urls: readonly string[],
  { tls, onRefused }: ListenPeersOptions,
): Promise<PeerServer> {
  const [url, ...more] = urls
  if (url === undefined || more.length > 0 || !URL.canParse(url)) {
    const message = `--listen-peer-urls is '${urls.join(',')}'; want one URL like http://127.0.0.1:2380`
    throw new KvError('INTERNAL', { message })
  }
  checkScheme(url, tls)
  let handler: PeerRequestHandler | undefined
  const options = {
    maxHeaderSize: headerSizeBytesMax,
    requestTimeout: requestTimeoutMs,
    headersTimeout: handshakeTimeoutMs,
    handshakeTimeout: handshakeTimeoutMs,
  }
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (handler === undefined) response.writeHead(503).end()
    else if (!handler(request, response)) response.writeHead(404).end()
  }
  const server =
    tls === undefined
      ? createServer(options, serve)
      : createPeerServer({ ...options, tls, onRefused }, serve)
  server.maxConnections = socketsMax
  await listen(server, url)
  return {
    server,
    serve: (taken) => {
      handler = taken
    },
    close: () => close(server),
  }
}

function checkScheme(url: string, tls: PeerTls | undefined): void {
  const isSecure = new URL(url).protocol === 'https:'
  if (isSecure === (tls !== undefined)) return
  const message = isSecure
    ? `--listen-peer-urls is '${url}', but --peer-cert-file, --peer-key-file and --peer-trusted-ca-file are missing`
    : `--listen-peer-urls is '${url}', but with --peer-cert-file it must begin with https`
  throw new KvError('INTERNAL', { message })
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
    server.listen(
      { port: Number(port === '' ? (url.startsWith('https:') ? 443 : 80) : port), host },
      resolve,
    )
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
