// Asks an apiserver to go on in another protocol on the same connection.
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import { ConnectionError, statusError, type ApiServerAddress } from '../../client/http-transport.ts'

const connectTimeoutMs = 10_000
const refusalBytesMax = 64 * 1024

export interface UpgradeRequest {
  readonly path: string
  /** In the header `Upgrade`. */
  readonly protocol: string
  readonly signal?: AbortSignal
}

/** Resolves to the connection when the apiserver has taken the upgrade. Rejects with ApiError or ConnectionError. */
export const requestUpgrade = (
  server: ApiServerAddress,
  { path, protocol, signal }: UpgradeRequest,
): Promise<Duplex> => {
  const { url, ca, cert, key, token } = server
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path,
      agent: false,
      timeout: connectTimeoutMs,
      headers: {
        Connection: 'Upgrade',
        Upgrade: protocol,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      ...(signal === undefined ? {} : { signal }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
    sent.on('timeout', () => {
      sent.destroy(new ConnectionError('TIMEOUT', `The server ${host} did not answer in time`))
    })
    sent.on('error', (reason) => reject(ConnectionError.from(reason, host)))
    // Also in the middle of a refusal, of which nobody tells otherwise.
    sent.on('close', () => {
      reject(new ConnectionError('BROKEN', `The connection to the server ${host} broke`))
    })
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
