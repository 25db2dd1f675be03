// One of the two servers: who is signed in there, and what its watch streams tell.
import { GrpcSession, type Reply } from './grpc-session.ts'
import type { Json } from './operation.ts'
import { methodOf } from './rpc-types.ts'
import { WatchStream, type OnLine } from './watch-stream.ts'

export class Server {
  readonly name: string
  readonly #session: GrpcSession
  readonly #tokens = new Map<string, string>()

  constructor(name: string, url: string) {
    const { hostname, port } = new URL(url)
    this.name = name
    this.#session = new GrpcSession(hostname, Number(port))
  }

  #token(as: string | undefined): string | undefined {
    return as === undefined ? undefined : this.#tokens.get(as)
  }

  call(method: string, request: Buffer, as: string | undefined): Promise<Reply> {
    return this.#session.call(methodOf(method).path, this.#token(as), request)
  }

  /** The token of a user goes along with what is done in the user's name from now on; to sign in in vain leaves an earlier one. */
  loggedIn(user: string, reply: Json | undefined): void {
    const token = reply?.['token']
    if (typeof token === 'string') this.#tokens.set(user, token)
  }

  /** With permissions off there are no tokens; 3.4 refuses those that come. */
  loggedOut(): void {
    this.#tokens.clear()
  }

  openStream(as: string | undefined, onLine: OnLine): WatchStream {
    const { path } = methodOf('Watch/Watch')
    return new WatchStream(onLine, (onMessage, onEnd) =>
      this.#session.stream(path, this.#token(as), onMessage, onEnd),
    )
  }

  close(): void {
    this.#session.close()
  }
}
