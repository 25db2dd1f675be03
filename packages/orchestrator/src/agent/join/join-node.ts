// An agent in a process of its own: becomes a node of a running cluster, or goes on being one, and serves it over the network.
import { join } from 'node:path'
import { HttpApiClient } from '../../client/http-api-client.ts'
import { type ApiServerAddress, HttpTransport } from '../../client/http-transport.ts'
import { backOffMs } from '../../client/back-off.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { pause } from '../../client/pause.ts'
import { ServiceProxy } from '../../network/proxy/service-proxy.ts'
import { AgentTunnel } from '../../network/tunnel/agent-tunnel.ts'
import { dialThroughServer } from '../../network/tunnel/pod-relay.ts'
import { type Agent, startAgent } from '../agent.ts'
import {
  agreeMembership,
  certificatePath,
  type JoinRequest,
  type Membership,
} from './membership.ts'
import {
  certificateTimes,
  requestNodeCertificate,
  saveNodeCertificate,
} from './node-certificate.ts'

export interface JoinOptions extends JoinRequest {
  /** Of this node alone: who it is, and its pods with their volumes and logs. */
  readonly dataDir: string
  /** Its name, unless the request or the folder says another. */
  readonly defaultName: string
  readonly stopPods: boolean
  readonly onError: (error: unknown) => void
}

export interface JoinedNode {
  readonly url: string
  readonly nodeName: string
  /** Resolves when the node is registered; rejects when it was closed before. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

const startBackOff = { firstMs: 500, maxMs: 10_000 }
const renewalCheckMs = 10 * 60_000

/** Resolves when the cluster has taken the node in; rejects with an Error of one line where it does not. */
export async function joinNode(options: JoinOptions): Promise<JoinedNode> {
  const membership = await agreeMembership(options.dataDir, options, options.defaultName)
  const node = new NetworkedNode(options, membership)
  const ready = node.start()
  // Whoever closes it need not wait for it.
  void Promise.allSettled([ready])
  const { url, nodeName } = membership
  return { url, nodeName, ready, close: () => node.close() }
}

/** What the transport reads for each connection: a new certificate counts from the next one on. */
class NodeAddress implements ApiServerAddress {
  readonly url: string
  readonly ca: string
  cert: string
  key: string

  constructor({ url, authority, certificate }: Membership) {
    this.url = url
    this.ca = authority
    this.cert = certificate.certificate
    this.key = certificate.key
  }
}

class NetworkedNode {
  readonly #options: JoinOptions
  readonly #membership: Membership
  readonly #address: NodeAddress
  readonly #transport: HttpTransport
  readonly #client: HttpApiClient
  readonly #tunnel: AgentTunnel
  readonly #closing = new AbortController()
  #agent: Agent | undefined
  #proxy: ServiceProxy | undefined
  #starting: Promise<void> | undefined
  #renewal: NodeJS.Timeout | undefined
  #told = ''

  constructor(options: JoinOptions, membership: Membership) {
    this.#options = options
    this.#membership = membership
    this.#address = new NodeAddress(membership)
    this.#transport = new HttpTransport(this.#address)
    this.#client = new HttpApiClient(this.#transport)
    this.#tunnel = new AgentTunnel({
      server: this.#address,
      onError: (error) => this.#tell(error),
    })
  }

  start(): Promise<void> {
    this.#starting = this.#startAgent()
    return this.#starting
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearInterval(this.#renewal)
    // Closed before it was ready: its starter was told.
    await Promise.allSettled([this.#starting])
    await this.#proxy?.close()
    await this.#agent?.close()
    this.#tunnel.close()
    this.#transport.close()
  }

  /** Until the apiserver can be reached: a machine may be up before it. */
  async #startAgent(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted()
      try {
        this.#agent = await this.#tryAgent()
        break
      } catch (reason) {
        this.#tell(reason)
      }
      await pause(backOffMs(failures, startBackOff), signal)
    }
    this.#proxy = ServiceProxy.start({
      client: this.#client,
      isOwnNode: (name) => name === this.#membership.nodeName,
      dialFar: (target) => dialThroughServer(this.#address, target),
      onError: (error) => this.#tell(error),
    })
    await this.#renew()
    this.#renewal = setInterval(() => void this.#renew(), renewalCheckMs)
  }

  #tryAgent(): Promise<Agent> {
    const { dataDir, stopPods } = this.#options
    const { nodeName, url } = this.#membership
    const { hostname, port } = new URL(url)
    return startAgent({
      client: this.#client,
      nodeName,
      dataDir: join(dataDir, 'agent'),
      stopPods,
      connections: this.#tunnel,
      apiAddress: {
        host: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: port === '' ? 443 : Number(port),
      },
      onError: (error) => this.#tell(error),
    })
  }

  /** When it is time to. Never rejects: there is time to try again. */
  async #renew(): Promise<void> {
    const { cert, key } = this.#address
    if (Date.now() < certificateTimes({ certificate: cert, key }).renewAtMs) return
    try {
      const pair = await requestNodeCertificate(this.#client, this.#membership.nodeName)
      await saveNodeCertificate(certificatePath(this.#options.dataDir), pair)
      this.#address.cert = pair.certificate
      this.#address.key = pair.key
      this.#tunnel.renew()
    } catch (reason) {
      this.#tell(reason)
    }
  }

  /** What fails again and again in the same way is told once; a watch that must begin anew is nobody's concern. */
  #tell(reason: unknown): void {
    if (isApiError(reason, 410)) return
    const text = reason instanceof Error ? reason.message : String(reason)
    if (text === this.#told || this.#closing.signal.aborted) return
    this.#told = text
    this.#options.onError(reason)
  }
}
