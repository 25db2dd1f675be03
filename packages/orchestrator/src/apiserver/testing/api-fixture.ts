// An apiserver on a free port with an in-memory store, and a plain HTTP/2 client for it: what the wire tests talk through.
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, type ApiServerOptions, startApiServer } from '../api-server.ts'
import { MemoryStore } from '../memory-store.ts'
import type { KeyPair } from '../pki/certificates.ts'
import type { Store } from '../store.ts'

/** What a test looks into without saying its type first: a wrong guess fails the test's expectation, not the compiler's. */
// oxlint-disable-next-line typescript/no-explicit-any
type LooseJson = any

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The body as JSON. */
  readonly json: LooseJson
}

export interface Lines {
  readonly status: number
  readonly contentType: string
  /** Resolves when `count` lines have come, to all that have. */
  take(count: number): Promise<LooseJson[]>
  /** Resolves to all lines when the server has ended the stream. */
  all(): Promise<LooseJson[]>
  close(): void
}

type RequestOptions = {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export class ApiFixture {
  readonly server: ApiServer
  readonly store: Store
  readonly dataDir: string
  readonly errors: readonly Error[]
  #session: ClientHttp2Session

  private constructor(parts: {
    server: ApiServer
    store: Store
    dataDir: string
    errors: readonly Error[]
  }) {
    this.server = parts.server
    this.store = parts.store
    this.dataDir = parts.dataDir
    this.errors = parts.errors
    this.#session = this.connectAs(parts.server.certificates.admin)
  }

  static async start(
    options: Partial<Pick<ApiServerOptions, 'store' | 'onError' | 'access'>> = {},
  ): Promise<ApiFixture> {
    const dataDir = await mkdtemp(join(tmpdir(), 'balsa-api-'))
    const store = options.store ?? new MemoryStore()
    const errors: Error[] = []
    const server = await startApiServer({
      store,
      url: 'https://127.0.0.1:0',
      dataDir,
      ...(options.access === undefined ? {} : { access: options.access }),
      onError: options.onError ?? ((error) => errors.push(error)),
    })
    return new ApiFixture({ server, store, dataDir, errors })
  }

  /** `client` undefined: without a certificate. */
  connectAs(client: KeyPair | undefined): ClientHttp2Session {
    const { certificates, url } = this.server
    const session = connect(url, {
      ca: certificates.ca.certificate,
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    })
    session.on('error', () => undefined)
    return session
  }

  /** Requests from here on go through this connection. */
  useSession(session: ClientHttp2Session): void {
    this.#session.close()
    this.#session = session
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const stream = this.#open(method, path, options)
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let headers: Record<string, string> = {}
      stream.on('response', (received) => {
        headers = Object.fromEntries(
          Object.entries(received).map(([name, value]) => [name, String(value)]),
        )
      })
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const isJson = headers['content-type']?.startsWith('application/json') === true
        const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
        resolve({ status: Number(headers[':status']), headers, text, json })
      })
    })
  }

  /** The body as it came, for encodings. */
  async bytes(path: string, headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const stream = this.#open('GET', path, { headers })
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () => {
        resolve(Buffer.concat(chunks))
      })
    })
  }

  /** A stream of JSON lines; resolves when the headers have come. */
  async lines(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Lines> {
    const stream = this.#open('GET', path, { headers })
    const received: unknown[] = []
    const waiting = new Set<() => void>()
    let rest = ''
    let isEnded = false
    const notify = (): void => {
      for (const check of waiting) check()
    }
    stream.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\n')
      rest = parts.pop() ?? ''
      received.push(...parts.map((part): unknown => JSON.parse(part)))
      notify()
    })
    stream.on('error', () => undefined)
    stream.on('close', () => {
      isEnded = true
      notify()
    })
    const until = (isDone: () => boolean): Promise<unknown[]> =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!isDone()) return
          waiting.delete(check)
          resolve(received)
        }
        waiting.add(check)
        check()
      })
    const head = await new Promise<Record<string, unknown>>((resolve) => {
      stream.on('response', resolve)
    })
    return {
      status: Number(head[':status']),
      contentType: String(head['content-type']),
      take: (count) => until(() => received.length >= count),
      all: () => until(() => isEnded),
      close: () => {
        stream.close()
      },
    }
  }

  async close(): Promise<void> {
    this.#session.destroy()
    await this.server.close()
    await this.store.close()
    await rm(this.dataDir, { recursive: true, force: true })
  }

  #open(method: string, path: string, { body, headers = {} }: RequestOptions): ClientHttp2Stream {
    const stream = this.#session.request(
      {
        ':method': method,
        ':path': path,
        ...(body === undefined || typeof body === 'string' || body instanceof Uint8Array
          ? {}
          : { 'content-type': 'application/json' }),
        ...headers,
      },
      { endStream: body === undefined },
    )
    if (body === undefined) return stream
    if (typeof body === 'string' || body instanceof Uint8Array) stream.end(body)
    else stream.end(JSON.stringify(body))
    return stream
  }
}
