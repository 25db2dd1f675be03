// Keeps a tunnel open from this agent to each apiserver: connects, asks for the upgrade, serves the session, and begins again when it breaks.
import { performServerHandshake, type ServerHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { NodeConnection } from '../../apiserver/node-connections.ts'
import { backOffMs } from '../../client/back-off.ts'
import type { ApiServerAddress } from '../../client/http-transport.ts'
import { pause } from '../../client/pause.ts'
import { requestUpgrade } from './request-upgrade.ts'
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
        const asked = { path: tunnelPath(name), protocol: tunnelProtocol, signal }
        await this.#serve(await requestUpgrade(this.#options.server, asked), node, signal)
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
