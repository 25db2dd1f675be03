// Asks one webhook: an AdmissionReview over HTTPS, with a limit for the time and the size of the answer.
import { Agent, request } from 'node:https'
import type {
  Webhook,
  WebhookClientConfig,
} from '../../resources/admission/webhook-configuration.ts'
import type { Json } from '../../resources/object.ts'
import type { RemoteEndpoint, ServiceEndpoints } from './remote-endpoint.ts'

const answerBytesMax = 32 * 1024 * 1024
const connectionsMax = 32
const agentsMax = 64

export class WebhookClient {
  readonly #endpoints: ServiceEndpoints
  /** By CA bundle: connections are kept. */
  readonly #agents = new Map<string, Agent>()

  constructor(endpoints: ServiceEndpoints) {
    this.#endpoints = endpoints
  }

  /** The JSON that it answers. Rejects with Error where it cannot be reached, is too slow, or does not answer 200 and JSON. */
  async post(webhook: Webhook, body: Json): Promise<Json> {
    const { clientConfig, timeoutSeconds = 10 } = webhook
    try {
      return await this.ask(clientConfig, { timeoutSeconds, body })
    } catch (reason) {
      const text = reason instanceof Error ? reason.message : String(reason)
      throw new Error(`failed to call webhook: ${text}`, { cause: reason })
    }
  }

  /** The same for one that is no admission webhook. */
  async ask(
    clientConfig: WebhookClientConfig,
    { timeoutSeconds, body }: { readonly timeoutSeconds: number; readonly body: Json },
  ): Promise<Json> {
    const endpoint = this.#endpointOf(clientConfig)
    const timeoutMs = timeoutSeconds * 1000
    const url = `https://${endpoint.serverName}:${endpoint.port}${endpoint.path}?timeout=${timeoutSeconds}s`
    const bytes = Buffer.from(JSON.stringify(body))
    try {
      return await this.#send(endpoint, { bytes, timeoutMs, caBundle: clientConfig.caBundle ?? '' })
    } catch (reason) {
      const text = reason instanceof Error ? reason.message : String(reason)
      throw new Error(`Post "${url}": ${text}`, { cause: reason })
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  #endpointOf({ url, service }: WebhookClientConfig): RemoteEndpoint {
    if (url !== undefined) return this.#endpoints.ofUrl(url)
    if (service === undefined) throw new Error('the webhook has no address')
    return this.#endpoints.ofService(service)
  }

  #send(
    { host, port, path, serverName }: RemoteEndpoint,
    sent: { readonly bytes: Buffer; readonly timeoutMs: number; readonly caBundle: string },
  ): Promise<Json> {
    const { bytes, timeoutMs, caBundle } = sent
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': bytes.length }
      const call = request(
        {
          method: 'POST',
          host,
          port,
          path: `${path}?timeout=${timeoutMs / 1000}s`,
          // An address is no name for TLS.
          ...(/^[\d.]+$|:/.test(serverName) ? {} : { servername: serverName }),
          agent: this.#agent(caBundle),
          headers,
        },
        (response) => {
          const chunks: Buffer[] = []
          let size = 0
          response.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size > answerBytesMax) call.destroy(new Error('the answer is too large'))
            else chunks.push(chunk)
          })
          response.on('error', reject)
          response.on('end', () => {
            clearTimeout(timer)
            const text = Buffer.concat(chunks).toString('utf8')
            if (response.statusCode !== 200) {
              reject(
                new Error(
                  `an error on the server (${JSON.stringify(text.slice(0, 200))}) has prevented the request from succeeding`,
                ),
              )
              return
            }
            try {
              resolve(JSON.parse(text) as Json)
            } catch (reason) {
              reject(new Error('the answer is no JSON', { cause: reason }))
            }
          })
        },
      )
      const timer = setTimeout(
        () => call.destroy(new Error('context deadline exceeded')),
        timeoutMs,
      )
      call.on('error', (reason) => {
        clearTimeout(timer)
        reject(reason)
      })
      // Also of one that goes on in another protocol, of which nobody tells otherwise.
      call.on('close', () => {
        clearTimeout(timer)
        reject(new Error('the connection was closed without an answer'))
      })
      call.end(bytes)
    })
  }

  #agent(caBundle: string): Agent {
    const known = this.#agents.get(caBundle)
    if (known !== undefined) return known
    if (this.#agents.size >= agentsMax) this.close()
    const agent = new Agent({
      keepAlive: true,
      maxSockets: connectionsMax,
      ...(caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64') }),
    })
    this.#agents.set(caBundle, agent)
    return agent
  }
}
