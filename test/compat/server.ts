// One of the two servers, driven by the usual gRPC library; messages of replies stay bytes.
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { Json } from './operation.ts'
import { methodOf } from './rpc-types.ts'
import { WatchTape } from './watch-tape.ts'

export interface Reply {
  /** grpc-status: 0 if it went well. */
  readonly code: number
  readonly text: string
  readonly body: Buffer
}

const callTimeoutMs = 20_000
const noBytes = Buffer.alloc(0)
const same = (bytes: Buffer): Buffer => bytes

export class Server {
  readonly name: string
  readonly #client: Client
  readonly #tokens = new Map<string, string>()
  readonly #tapes: WatchTape[] = []

  constructor(name: string, url: string) {
    this.name = name
    this.#client = new Client(new URL(url).host, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
    })
  }

  #metadata(as: string | undefined): Metadata {
    const metadata = new Metadata()
    const token = as === undefined ? undefined : this.#tokens.get(as)
    if (token !== undefined) metadata.set('token', token)
    return metadata
  }

  call(method: string, request: Buffer, as: string | undefined): Promise<Reply> {
    const { path } = methodOf(method)
    const options = { deadline: Date.now() + callTimeoutMs }
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        same,
        same,
        request,
        this.#metadata(as),
        options,
        (error: ServiceError | null, body?: Buffer) => {
          if (error !== null) resolve({ code: error.code, text: error.details, body: noBytes })
          else resolve({ code: 0, text: '', body: body ?? noBytes })
        },
      )
    })
  }

  /** The token of a user goes along with what is done in the user's name from now on. */
  loggedIn(user: string, reply: Json | undefined): void {
    const token = reply?.['token']
    if (typeof token === 'string') this.#tokens.set(user, token)
    else this.#tokens.delete(user)
  }

  /** With permissions off there are no tokens; 3.4 refuses those that come. */
  loggedOut(): void {
    this.#tokens.clear()
  }

  /** Of the stream of that number, opened by the first who asks. */
  tape(stream: number, as: string | undefined): WatchTape {
    const tape = (this.#tapes[stream] ??= new WatchTape())
    if (!tape.isOpen) {
      const { path } = methodOf('Watch/Watch')
      tape.open(this.#client.makeBidiStreamRequest(path, same, same, this.#metadata(as)))
    }
    return tape
  }

  get tapes(): readonly (WatchTape | undefined)[] {
    return this.#tapes
  }

  close(): void {
    for (const tape of this.#tapes) tape?.close()
    this.#client.close()
  }
}
