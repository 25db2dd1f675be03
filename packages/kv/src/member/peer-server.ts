// The peer port: raft's WebSocket upgrades, and over plain HTTP the lease questions of members that follow; with certificates, nobody gets as
// far as that without one.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createNetServer, type Server as NetServer } from 'node:net'
import { createPeerServer } from '@balsa/raft'
import { KvError } from '../errors.ts'
import type { OpenPeerTls } from './peer-tls-files.ts'

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
const httpLimits = {
  maxHeaderSize: 16_384,
  requestTimeout: requestTimeoutMs,
  headersTimeout: handshakeTimeoutMs,
  handshakeTimeout: handshakeTimeoutMs,
} as const

export interface ListenPeersOptions {
  /** Undefined: http, and anyone who names the cluster is believed. */
  readonly tls: OpenPeerTls | undefined
  /** Somebody without a certificate that counts. */
  readonly onRefused: (error: Error) => void
}

/** Rejects with an error that names --listen-peer-urls. */
export async function listenPeers(
  urls: readonly string[],
  { tls, onRefused }: ListenPeersOptions,
): Promise<PeerServer> {
  const [first, ...others] = urls
  for (const url of urls) checkUrl(url, tls)
  if (first === undefined) throw badUrl('')
  let handler: PeerRequestHandler | undefined
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (handler === undefined) response.writeHead(503).end()
    else if (!handler(request, response)) response.writeHead(404).end()
  }
  const server =
    tls === undefined
      ? createServer(httpLimits, serve)
      : createPeerServer({ ...httpLimits, tls: tls.tls, onRefused }, serve)
  tls?.keepFresh(server)
  // One server serves them all; the further ports hand their connections to it.
  const ports = others.map(() =>
    createNetServer((socket) => void server.emit('connection', socket)),
  )
  const listening: NetServer[] = []
  try {
    for (const [i, port] of [server, ...ports].entries()) {
      port.maxConnections = socketsMax
      await listen(port, urls[i] ?? first)
      listening.push(port)
    }
  } catch (reason) {
    tls?.close()
    await Promise.all(listening.map(close))
    throw reason
  }
  return {
    server,
    serve: (taken) => {
      handler = taken
    },
    close: async () => {
      tls?.close()
      const closed = Promise.all(listening.map(close))
      server.closeAllConnections()
      await closed
    },
  }
}

function checkUrl(url: string, tls: OpenPeerTls | undefined): void {
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw badUrl(url)
  const isSecure = new URL(url).protocol === 'https:'
  if (isSecure === (tls !== undefined)) return
  const message = isSecure
    ? `--listen-peer-urls has '${url}', but --peer-cert-file and --peer-key-file, or --peer-auto-tls, are missing`
    : `--listen-peer-urls has '${url}', but with --peer-cert-file or --peer-auto-tls it must begin with https`
  throw new KvError('INTERNAL', { message })
}

function badUrl(url: string): KvError {
  const message = `--listen-peer-urls has '${url}'; want URLs like http://127.0.0.1:2380`
  return new KvError('INTERNAL', { message })
}

function listen(server: NetServer, url: string): Promise<void> {
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

function close(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
