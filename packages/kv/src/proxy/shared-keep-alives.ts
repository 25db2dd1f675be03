// Keep-alives of all clients on one stream to the members: who asks for a lease while an answer for it is on its way gets that answer.
import { KvError } from '../errors.ts'
import {
  decodeLeaseKeepAliveRequest,
  decodeLeaseKeepAliveResponse,
  encodeLeaseKeepAliveRequest,
} from '../proto/index.ts'
import type { ReplyStream, RequestStream } from '../api/services/index.ts'
import type { Upstream, UpstreamStream } from './upstream.ts'

const path = '/etcdserverpb.Lease/LeaseKeepAlive'

/** Gets the bytes of one answer, or why there is none. */
type Waiting = (error: KvError | undefined, body: Uint8Array | undefined) => void

export class SharedKeepAlives {
  readonly #upstream: Upstream
  readonly #token: string
  /** By lease. */
  readonly #waiting = new Map<bigint, Waiting[]>()
  #stream: UpstreamStream | undefined
  /** Requests that went to the members. */
  sentCount = 0

  constructor(upstream: Upstream, token: string) {
    this.#upstream = upstream
    this.#token = token
  }

  /** One client's stream: its answers come in the order of its requests. */
  open(out: ReplyStream): RequestStream {
    let last: Promise<void> = Promise.resolve()
    let isClosed = false
    return {
      message: (body) => {
        const { id } = decodeLeaseKeepAliveRequest(body)
        const answered = this.#ask(id)
        const before = last
        last = (async () => {
          await before
          const { error, answer } = await answered
          if (isClosed) return
          if (answer === undefined) out.end(error ?? new KvError('INTERNAL'))
          else out.send(answer)
        })()
      },
      halfClosed: () => void last.then(() => out.end(undefined)),
      writable: () => undefined,
      closed: () => {
        isClosed = true
      },
    }
  }

  close(): void {
    this.#stream?.cancel()
    this.#fail(new KvError('STOPPED'))
  }

  #ask(id: bigint): Promise<{ error: KvError | undefined; answer: Uint8Array | undefined }> {
    return new Promise((resolve) => {
      const done: Waiting = (error, answer) => resolve({ error, answer })
      const others = this.#waiting.get(id)
      if (others !== undefined) {
        others.push(done)
        return
      }
      this.#waiting.set(id, [done])
      this.sentCount++
      this.#stream ??= this.#open()
      this.#stream.write(encodeLeaseKeepAliveRequest({ id }))
    })
  }

  #open(): UpstreamStream {
    return this.#upstream.stream(path, this.#token, {
      message: (body) => {
        const { id } = decodeLeaseKeepAliveResponse(body)
        const waiting = this.#waiting.get(id) ?? []
        this.#waiting.delete(id)
        for (const done of waiting) done(undefined, body)
      },
      ended: (error) => {
        this.#stream = undefined
        this.#fail(error ?? new KvError('CONNECTION_LOST'))
      },
    })
  }

  #fail(error: KvError): void {
    const waiting = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    for (const done of waiting) done(error, undefined)
  }
}
