// One watch stream of one server. What it tells is handed on as lines, by watch: how events are gathered into responses differs from server to server
// and is not compared; the order within a watch and the answers to requests are.
import type { GrpcStream } from './grpc-session.ts'
import type { Json } from './operation.ts'
import { methodOf } from './rpc-types.ts'
import { fieldsOf, revisionOf } from './wire-fields.ts'

export type WatchAnswer = 'created' | 'canceled' | 'progress'
/** Answers that concern no watch, and the end of the stream, have an id too: -1 and -2. */
export type OnLine = (watchId: number, line: string) => void
type OpenStream = (
  onMessage: (message: Buffer) => void,
  onEnd: (status: { readonly code: number; readonly text: string }) => void,
) => GrpcStream

const endId = -2
const field = {
  header: 1,
  watchId: 2,
  created: 3,
  canceled: 4,
  compactRevision: 5,
  cancelReason: 6,
  events: 11,
} as const

export class WatchStream {
  readonly #onLine: OnLine
  readonly #requestSerialize = methodOf('Watch/Watch').requestSerialize
  #stream: GrpcStream | undefined
  /** So many there were: */
  readonly answers: Record<WatchAnswer, number> = { created: 0, canceled: 0, progress: 0 }
  /** Of the watch that was created last; -1 if it was refused. */
  newestId = -1
  refusal = ''

  constructor(onLine: OnLine, open: OpenStream) {
    this.#onLine = onLine
    this.#stream = open(
      (message) => this.#take(message),
      ({ code, text }) => {
        this.#stream = undefined
        onLine(endId, `stream ended: ${code} ${text}`)
      },
    )
  }

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  send(request: Json): void {
    this.#stream?.send(this.#requestSerialize(request))
  }

  #take(response: Buffer): void {
    const events: Buffer[] = []
    let revision = 0
    let id = 0
    let compactRevision = 0
    let reason = ''
    let answer: WatchAnswer | undefined
    let isRefused = false
    for (const { number, value, content } of fieldsOf(response)) {
      if (number === field.header) revision = revisionOf(content)
      else if (number === field.watchId) id = value
      else if (number === field.created) answer = 'created'
      else if (number === field.canceled && answer === 'created') isRefused = true
      else if (number === field.canceled) answer = 'canceled'
      else if (number === field.compactRevision) compactRevision = value
      else if (number === field.cancelReason) reason = content?.toString() ?? ''
      else if (number === field.events && content !== undefined) events.push(content)
    }
    if (answer === undefined && events.length === 0) answer = 'progress'
    if (answer !== undefined) {
      this.answers[answer]++
      const at = answer === 'canceled' ? '' : String(revision)
      if (answer === 'created') {
        this.newestId = id
        this.refusal = isRefused ? reason : ''
      }
      const why = isRefused || answer === 'canceled' ? ` canceled ${reason} ${compactRevision}` : ''
      this.#onLine(id, `${answer} ${at}${why}`)
    }
    for (const event of events) this.#onLine(id, event.toString('latin1'))
  }

  close(): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.cancel()
  }
}
