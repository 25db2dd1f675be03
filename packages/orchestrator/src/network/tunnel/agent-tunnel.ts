// Keeps a tunnel open from this agent to each apiserver: connects, asks for the upgrade, serves the session, and begins again when it breaks.
import { performServerHandshake, type ServerHttp2Session } from 'node:http2'
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import type { NodeConnection } from '../../apiserver/node-connections.ts'
import { backOffMs } from '../../client/back-off.ts'
import { ConnectionError, statusError, type ApiServerAddress } from '../../client/http-transport.ts'
import { pause } from '../../client/pause.ts'
import { serveTunnel } from './serve-tunnel.ts'
import {
  keepAlive,
  sessionMemoryMegabytesMax,
  tunnelPath,
  tunnelProtocol,
  tunnelSettings,
} from './tunnel-protocol.ts'

export interface AgentTunnelOptions {
  /** Read anew for each connection. */
  readonly server: ApiServerAddress
  readonly onError: (error: unknown) => void
  /** Of tests: told when the apiserver has taken the tunnel. */
  readonly onOpen?: () => void
}

const backOff = { firstMs: 200, maxMs: 10_000 }
const connectTimeoutMs = 10_000
const refusalBytesMax = 64 * 1024
/** A tunnel that stood so long did not fail at once. */
const steadyMs = 5000

export class AgentTunnel {
  readonly #options: AgentTunnelOptions
  readonly #closing = new AbortController()
  readonly #open = new Set<ServerHttp2Session>()

  constructor(options: AgentTunnelOptions) {
    this.#options = options
  }

  /** Serves `connection` as that of the node, for ever. Returns the function that takes it back. */
  register(nodeName: string, connection: NodeConnection): () => void {
    const taken = new AbortController()
    const signal = AbortSignal.any([taken.signal, this.#closing.signal])
    void this.#keepOpen(nodeName, connection, signal)
    return () => taken.abort()
  }

  /** The next connection is made with the credentials of then. */
  renew(): void {
    for (const session of this.#open) session.close()
  }

  close(): void {
    this.#closing.abort()
  }

  /** Never rejects. */
  async #keepOpen(name: string, node: NodeConnection, signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const startedAtMs = performance.now()
      try {
        await this.#serve(await openTunnel(this.#options.server, name, signal), node, signal)
        if (performance.now() - startedAtMs > steadyMs) failures = 0
      } catch (reason) {
        if (!signal.aborted) this.#options.onError(reason)
      }
      failures++
      if (!signal.aborted) await pause(backOffMs(failures, backOff), signal)
    }
  }

  /** Resolves when the session has ended. */
  async #serve(socket: Duplex, node: NodeConnection, signal: AbortSignal): Promise<void> {
    const session = performServerHandshake(socket, {
      settings: tunnelSettings,
      maxSessionMemory: sessionMemoryMegabytesMax,
    })
    this.#open.add(session)
    session.on('error', () => undefined)
    const end = (): void => session.destroy()
    signal.addEventListener('abort', end)
    serveTunnel(session, node)
    session.once('connect', () => keepAlive(session))
    this.#options.onOpen?.()
    await new Promise<void>((resolve) => {
      session.once('close', resolve)
      if (signal.aborted) end()
    })
    signal.removeEventListener('abort', end)
    this.#open.delete(session)
  }
}

/** Resolves to the connection when the apiserver has taken the upgrade. Rejects with ApiError or ConnectionError. */
const openTunnel = (
  server: ApiServerAddress,
  nodeName: string,
  signal: AbortSignal,
): Promise<Duplex> => {
  const { url, ca, cert, key, token } = server
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: tunnelPath(nodeName),
      agent: false,
      signal,
      timeout: connectTimeoutMs,
      headers: {
        Connection: 'Upgrade',
        Upgrade: tunnelProtocol,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
    sent.on('timeout', () => {
      sent.destroy(new ConnectionError('TIMEOUT', `The server ${host} did not answer in time`))
    })
    sent.on('error', (reason) => reject(ConnectionError.from(reason, host)))
    sent.on('upgrade', (_response, socket, head) => {
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      // The apiserver may have begun already.
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text = (text + chunk).slice(0, refusalBytesMax)
      })
      response.on('end', () => reject(statusError(response.statusCode ?? 0, text)))
    })
    sent.end()
  })
}
