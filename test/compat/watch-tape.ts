// Everything that one watch stream has told, by watch: how events are gathered into responses differs from server to server and is not compared, the
// order within a watch and the answers to requests are.
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import type { Json } from './operation.ts'
import { methodOf } from './rpc-types.ts'

const { requestSerialize, responseDeserialize } = methodOf('Watch/Watch')

export type WatchAnswer = 'created' | 'canceled' | 'progress'

export class WatchTape {
  #stream: ClientDuplexStream<Buffer, Buffer> | undefined
  readonly #lines = new Map<number, string[]>()
  /** Answers to requests so far: created, canceled, progress. */
  readonly #answers: Record<WatchAnswer, number> = { created: 0, canceled: 0, progress: 0 }
  #onAnswer: () => void = () => undefined
  /** Of the watch that was created last; -1 if it was refused. */
  newestId = -1

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  open(stream: ClientDuplexStream<Buffer, Buffer>): void {
    this.#stream = stream
    stream.on('data', (bytes: Buffer) => this.#take(responseDeserialize(bytes)))
    stream.on('error', (error: ServiceError) => {
      if (this.#stream !== stream) return
      this.#stream = undefined
      this.#line(-2, `stream ended: ${error.code} ${error.details}`)
      this.#onAnswer()
    })
  }

  #take(response: Json): void {
    const { header, watch_id: id, created, canceled, events } = response
    const watchId = Number(id ?? 0)
    const revision = Number((header as Json | undefined)?.['revision'] ?? 0)
    const reason = `canceled ${textOf(response['cancel_reason'])} ${Number(response['compact_revision'] ?? 0)}`
    const list = Array.isArray(events) ? (events as readonly Json[]) : []
    if (created === true) {
      this.newestId = watchId
      this.#line(watchId, `created ${revision} ${canceled === true ? reason : ''}`)
      this.#answered('created')
    } else if (canceled === true) {
      this.#line(watchId, reason)
      this.#answered('canceled')
    } else if (list.length === 0) {
      this.#line(watchId, `progress ${revision}`)
      this.#answered('progress')
    }
    for (const event of list) this.#line(watchId, describeEvent(event))
  }

  #answered(answer: WatchAnswer): void {
    this.#answers[answer]++
    this.#onAnswer()
  }

  #line(watchId: number, text: string): void {
    const lines = this.#lines.get(watchId) ?? []
    lines.push(text)
    this.#lines.set(watchId, lines)
  }

  /** Sends it and waits for an answer of that kind; false if there is none in time. */
  async ask(request: Json, answer: WatchAnswer, timeoutMs: number): Promise<boolean> {
    const due = this.#answers[answer] + 1
    this.#stream?.write(requestSerialize(request))
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(false), timeoutMs)
      const finish = (isAnswered: boolean): void => {
        clearTimeout(timer)
        this.#onAnswer = () => undefined
        resolve(isAnswered)
      }
      this.#onAnswer = () => {
        if (this.#answers[answer] >= due || !this.isOpen) finish(true)
      }
    })
  }

  get lines(): ReadonlyMap<number, readonly string[]> {
    return this.#lines
  }

  clear(): void {
    this.#lines.clear()
  }

  close(): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.cancel()
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function describeEvent(event: Json): string {
  const { type, kv, prev_kv: previous } = event
  const before = previous === undefined || previous === null ? '' : ` was ${describePair(previous)}`
  return `${textOf(type)} ${describePair(kv)}${before}`
}

function describePair(pair: unknown): string {
  const { key, value, create_revision, mod_revision, version, lease } = pair as Json
  const text = (bytes: unknown): string =>
    JSON.stringify(Buffer.isBuffer(bytes) ? bytes.toString('latin1') : '')
  const numbers = [create_revision, mod_revision, version, lease].map((each) => Number(each ?? 0))
  return `${text(key)}=${text(value)} ${numbers.join(' ')}`
}
