// HTTP to an apiserver: TLS with the client's certificate or a bearer token, kept-alive connections, answers read whole or line by line.
// Kubernetes' Status answers become ApiError, failures to reach the server ConnectionError.
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { StringDecoder } from 'node:string_decoder'
import type { Json } from '../resources/object.ts'
import { ApiError } from './api-client.ts'

/** Where an apiserver is and who asks. Certificates and key are PEM. */
export interface ApiServerAddress {
  /** e.g. `https://127.0.0.1:6443`. */
  readonly url: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly token?: string
  /** Read again when it is a minute old: tokens of ServiceAccounts are renewed in place. */
  readonly tokenFile?: string
  readonly skipTlsVerify?: boolean
  /** As whom to act: the headers that say so. */
  readonly impersonation?: Readonly<Record<string, string | readonly string[]>>
}

/** The headers that say who asks, and as whom. */
export const identityHeaders = (
  { impersonation }: ApiServerAddress,
  token: string | undefined,
): Record<string, string | string[]> => ({
  ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  ...Object.fromEntries(
    Object.entries(impersonation ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  ),
})

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly accept?: string
  readonly contentType?: string
  readonly body?: Json
}

export interface StreamHandlers {
  /** The server took the request; what follows are lines or text. */
  opened?(): void
  /** A piece of the answer as it comes: whole lines without their end, or any text, as asked. */
  text(text: string): void
  /** Called once: ApiError, ConnectionError, or undefined when the server ended the answer. Not called after close(). */
  ended(error: Error | undefined): void
}

export type ConnectionErrorCode = 'REFUSED' | 'UNREACHABLE' | 'UNTRUSTED' | 'TIMEOUT' | 'BROKEN'

/** The server could not be reached, or the answer broke off. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: ConnectionErrorCode

  constructor(code: ConnectionErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }

  /** Normalizes anything caught. */
  static from(reason: unknown, server: string): ConnectionError {
    if (reason instanceof ConnectionError) return reason
    const code = reason instanceof Error && 'code' in reason ? String(reason.code) : ''
    const text = reason instanceof Error ? reason.message : String(reason)
    if (code === 'ECONNREFUSED') {
      return new ConnectionError(
        'REFUSED',
        `The connection to the server ${server} was refused`,
        reason,
      )
    }
    if (untrustedCodes.has(code)) {
      return new ConnectionError(
        'UNTRUSTED',
        `The certificate of the server ${server} is not trusted (${text})`,
        reason,
      )
    }
    if (code === 'ECONNRESET' || code === 'EPIPE') {
      return new ConnectionError('BROKEN', `The connection to the server ${server} broke`, reason)
    }
    return new ConnectionError(
      'UNREACHABLE',
      `Unable to reach the server ${server}: ${text}`,
      reason,
    )
  }
}

const untrustedCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])
const answerSizeBytesMax = 256 * 1024 * 1024
const lineSizeMax = 16 * 1024 * 1024
const requestTimeoutMs = 60_000
const connectionsMax = 64
/** Followed answers, each of which has a connection as long as it lasts: they must not keep requests waiting. */
const streamsMax = 1000
const tokenFileAgeMaxMs = 60_000
const streamKeepAliveMs = 15_000

export class HttpTransport {
  readonly #address: ApiServerAddress
  readonly #base: URL
  readonly #agent: HttpAgent
  readonly #streams: HttpAgent
  #fileToken: { readonly text: string; readonly readAtMs: number } | undefined

  constructor(address: ApiServerAddress) {
    this.#address = address
    this.#base = new URL(address.url)
    const Agent = this.#base.protocol === 'https:' ? HttpsAgent : HttpAgent
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
    this.#streams = new Agent({ maxSockets: streamsMax })
  }

  /** `host:port`, for messages. */
  get server(): string {
    return this.#base.host
  }

  /** The answer as text. Rejects with ApiError or ConnectionError. */
  text(request: HttpRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = this.#send(request, this.#agent, (response) => {
        readWhole(response, (error, text) => {
          if (error !== undefined) reject(ConnectionError.from(error, this.server))
          else if (isSuccess(response)) resolve(text)
          else reject(statusError(response.statusCode ?? 0, text))
        })
      })
      sent.setTimeout(requestTimeoutMs, () => {
        sent.destroy(
          new ConnectionError('TIMEOUT', `The server ${this.server} did not answer in time`),
        )
      })
      sent.on('error', (reason) => reject(ConnectionError.from(reason, this.server)))
    })
  }

  /** The answer as JSON. */
  async json(request: HttpRequest): Promise<Json> {
    const text = await this.text(request)
    const value = parseJson(text)
    if (value === undefined) {
      throw new ConnectionError('BROKEN', `The server ${this.server} did not answer with JSON`)
    }
    return value
  }

  /** Follows an answer without end. Returns close(). `by` 'line' hands out whole lines. */
  stream(request: HttpRequest, by: 'line' | 'chunk', handlers: StreamHandlers): () => void {
    let isEnded = false
    const end = (error: Error | undefined): void => {
      if (isEnded) return
      isEnded = true
      sent.destroy()
      handlers.ended(error)
    }
    const broken = (reason: unknown): void => end(ConnectionError.from(reason, this.server))
    const sent = this.#send(request, this.#streams, (response) => {
      if (!isSuccess(response)) {
        readWhole(response, (error, text) =>
          error === undefined ? end(statusError(response.statusCode ?? 0, text)) : broken(error),
        )
        return
      }
      const pieces = new TextPieces(by, (text) => {
        if (!isEnded) handlers.text(text)
      })
      handlers.opened?.()
      response.on('data', (chunk: Buffer) => {
        if (!pieces.push(chunk)) {
          end(new ConnectionError('BROKEN', `A line of the answer is longer than ${lineSizeMax}`))
        }
      })
      response.on('end', () => {
        pieces.end()
        end(undefined)
      })
      response.on('error', broken)
      response.on('aborted', () => broken(new ConnectionError('BROKEN', 'The answer broke off')))
    })
    sent.on('error', broken)
    // A server that is gone without a word says nothing, which a watch cannot tell from nothing new.
    sent.setSocketKeepAlive(true, streamKeepAliveMs)
    return () => {
      isEnded = true
      sent.destroy()
    }
  }

  /** Ends all connections; requests under way fail. */
  close(): void {
    this.#agent.destroy()
    this.#streams.destroy()
  }

  #token(): string | undefined {
    const { token, tokenFile } = this.#address
    if (tokenFile === undefined) return token
    const nowMs = performance.now()
    if (this.#fileToken === undefined || nowMs - this.#fileToken.readAtMs > tokenFileAgeMaxMs) {
      this.#fileToken = { text: readFileSync(tokenFile, 'utf8').trim(), readAtMs: nowMs }
    }
    return this.#fileToken.text
  }

  #send(
    request: HttpRequest,
    agent: HttpAgent,
    answered: (response: IncomingMessage) => void,
  ): ClientRequest {
    const { ca, cert, key, skipTlsVerify } = this.#address
    const token = this.#token()
    const body = request.body === undefined ? undefined : JSON.stringify(request.body)
    const path = `${this.#base.pathname.replace(/\/$/, '')}${request.path}${queryText(request.query)}`
    const options: RequestOptions & { rejectUnauthorized?: boolean } = {
      method: request.method,
      hostname: this.#base.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: this.#base.port,
      path,
      agent,
      headers: {
        Accept: request.accept ?? 'application/json',
        'User-Agent': 'balsa',
        ...identityHeaders(this.#address, token),
        ...(body === undefined
          ? {}
          : {
              'Content-Type': request.contentType ?? 'application/json',
              'Content-Length': Buffer.byteLength(body),
            }),
      },
    }
    const tls = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      rejectUnauthorized: skipTlsVerify !== true,
    }
    const sent =
      this.#base.protocol === 'https:'
        ? httpsRequest({ ...options, ...tls }, answered)
        : httpRequest(options, answered)
    sent.end(body)
    return sent
  }
}

const isSuccess = (response: IncomingMessage): boolean =>
  response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300

const queryText = (query: HttpRequest['query']): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.append(name, String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

const readWhole = (
  response: IncomingMessage,
  done: (error: Error | undefined, text: string) => void,
): void => {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes <= answerSizeBytesMax) chunks.push(chunk)
    else response.destroy(new ConnectionError('BROKEN', 'The answer is too large'))
  })
  response.on('end', () => done(undefined, Buffer.concat(chunks).toString('utf8')))
  response.on('error', (error) => done(error, ''))
}

/** Cuts bytes into lines, or into text that ends between characters. */
class TextPieces {
  readonly #by: 'line' | 'chunk'
  readonly #out: (text: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  constructor(by: 'line' | 'chunk', out: (text: string) => void) {
    this.#by = by
    this.#out = out
  }

  /** False: a line is too long. */
  push(chunk: Buffer): boolean {
    const text = this.#decoder.write(chunk)
    if (this.#by === 'chunk') {
      if (text !== '') this.#out(text)
      return true
    }
    const end = text.lastIndexOf('\n')
    if (end < 0) this.#rest += text
    else {
      for (const line of (this.#rest + text.slice(0, end)).split('\n')) {
        if (line !== '') this.#out(line)
      }
      this.#rest = text.slice(end + 1)
    }
    return this.#rest.length <= lineSizeMax
  }

  end(): void {
    const text = this.#rest + this.#decoder.end()
    if (text !== '') this.#out(text)
  }
}

/** What JSON.parse says, undefined where the text is none. */
export const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}

/** Makes the ApiError of a Status, or of an answer that is none. */
export const statusError = (code: number, text: string): ApiError => {
  const status = parseJson(text)
  if (
    typeof status === 'object' &&
    status !== null &&
    'kind' in status &&
    status.kind === 'Status'
  ) {
    const { reason, message, details } = status
    return new ApiError(
      typeof status.code === 'number' ? status.code : code,
      typeof reason === 'string' ? reason : '',
      typeof message === 'string' ? message : `the server answered ${code}`,
      details,
    )
  }
  if (code === 404) {
    return new ApiError(code, 'NotFound', 'the server could not find the requested resource')
  }
  if (code === 401) {
    return new ApiError(code, 'Unauthorized', 'You must be logged in to the server (Unauthorized)')
  }
  return new ApiError(code, '', text.trim() === '' ? `the server answered ${code}` : text.trim())
}
