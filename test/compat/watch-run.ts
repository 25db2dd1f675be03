// The watches of a run, on streams that both servers have. Whether all is told is known by a mark, not by waiting: a key that every stream watches
// is put, and what a stream is told before it is all there was.
import { LinesCompared, type Side } from './lines-compared.ts'
import { messageOf, type Json, type Operation } from './operation.ts'
import type { Server } from './server.ts'
import { isRefusedForRights, isWiderWatch } from './stricter.ts'
import type { WatchAnswer, WatchStream } from './watch-stream.ts'

/** Puts the mark; its revision, undefined if nobody may at the moment. */
export type PutMark = () => Promise<number | undefined>
export type Seen = Readonly<Record<string, unknown>>

export const markKey = '~'
const markId = 1_000_000
const watchesOfStreamMax = 3
const answerTimeoutMs = 10_000
const cancelTimeoutMs = 1_000
const settleTimeoutMs = 15_000
const waitSteps = 10
/** Where no mark can be put or seen. */
const unmarkedWaitMs = 15
/** etcd looks after watches that begin in the past every 100 ms. */
const catchUpMs = 250
/** Of the stream that tells when etcd has done so. */
const probeStream = -1

interface StreamPair {
  readonly number: number
  readonly streams: readonly [WatchStream, WatchStream]
  readonly compared: LinesCompared
  /** Ids of watches that were created and not canceled. */
  readonly alive: number[]
  readonly marksSeen: [number, number]
  isMarked: boolean
  /** The first revision that all of its watches are interested in. */
  begins: number
}

export class WatchRun {
  readonly #servers: readonly [Server, Server]
  readonly #putMark: PutMark
  readonly #pairs = new Map<number, StreamPair>()
  /** There may be a watch that etcd has not told its past yet. */
  #hasOldWatch = false
  #check: () => void = () => undefined

  constructor(servers: readonly [Server, Server], putMark: PutMark) {
    this.#servers = servers
    this.#putMark = putMark
  }

  async watch(
    operation: Extract<Operation, { type: 'watch' }>,
    revision: number,
    compactRevision: number,
  ): Promise<Seen | undefined> {
    const { stream, body, as } = operation
    const pair = await this.#pair(stream, as)
    // Not for one that begins in the past: to settle takes long as long as there are such.
    if (body['start_revision'] === undefined && pair.alive.length >= watchesOfStreamMax) {
      const seen = (await this.settle()) ?? (await this.#makeRoom(pair))
      if (seen !== undefined) return seen
    }
    const request = { create_request: messageOf(body, revision) }
    const drawn = request.create_request['start_revision']
    if (typeof drawn === 'number') {
      // 3.4 has lost the deletes of that one.
      const start = drawn === compactRevision ? drawn + 1 : drawn
      request.create_request['start_revision'] = start
      this.#hasOldWatch ||= start <= revision
      pair.begins = Math.max(pair.begins, start)
    }
    if (isWiderWatch(operation) && (await this.#isRefusedByBalsa(pair, request))) return undefined
    const seen = await this.#ask(pair, request, 'created', isWiderWatch(operation))
    const id = pair.streams[0].newestId
    if (id >= 0 && !pair.alive.includes(id)) pair.alive.push(id)
    return seen
  }

  async #makeRoom(pair: StreamPair): Promise<Seen | undefined> {
    let seen: Seen | undefined
    while (seen === undefined && pair.alive.length >= watchesOfStreamMax) {
      seen = await this.#ask(pair, { cancel_request: { watch_id: pair.alive.shift() } }, 'canceled')
    }
    return seen
  }

  /** Where Balsa asks for more rights than etcd, etcd is left alone if they are missing. */
  async #isRefusedByBalsa(pair: StreamPair, request: Json): Promise<boolean> {
    const [, ours] = pair.streams
    await this.#answers([ours], request, 'created')
    if (!isRefusedForRights(ours.refusal)) return false
    pair.compared.forget(1, ours.newestId)
    return true
  }

  async cancel({ stream, nth }: Extract<Operation, { type: 'cancel' }>): Promise<Seen | undefined> {
    const pair = this.#pairs.get(stream)
    if (pair === undefined || pair.alive.length === 0) return undefined
    const seen = await this.settle()
    if (seen !== undefined) return seen
    const [id] = pair.alive.splice(nth % pair.alive.length, 1)
    return this.#ask(pair, { cancel_request: { watch_id: id } }, 'canceled')
  }

  async progress(stream: number): Promise<Seen | undefined> {
    const pair = this.#pairs.get(stream)
    if (pair === undefined) return undefined
    const seen = await this.settle()
    if (seen !== undefined) return seen
    // Balsa, like later versions, says nothing of progress to who waits for the future.
    for (let newest = 0; newest < pair.begins;) {
      const revision = await this.#mark()
      if (revision === undefined) return undefined
      newest = revision
    }
    return this.#ask(pair, { progress_request: {} }, 'progress')
  }

  /** Undefined: all of them. */
  async close(stream?: number): Promise<Seen | undefined> {
    const seen = await this.settle()
    for (const number of stream === undefined ? this.#pairs.keys() : [stream]) this.#drop(number)
    return seen
  }

  /** Waits until both have told their watches all, which must be the same. */
  async settle(): Promise<Seen | undefined> {
    if (this.#pairs.size === 0) return undefined
    if (this.#hasOldWatch) await this.#catchUp()
    this.#hasOldWatch = false
    await this.#mark()
    const pairs = [...this.#pairs.values()]
    await this.#until(
      () => pairs.every(({ compared }) => compared.isEqual || compared.isBroken),
      settleTimeoutMs,
    )
    return this.difference()
  }

  difference(): Seen | undefined {
    for (const { number, compared } of this.#pairs.values()) {
      const found = compared.difference
      if (found === undefined) continue
      const { watchId, theirs, ours } = found
      return this.#named(
        { stream: number, watchId, told: theirs },
        { stream: number, watchId, told: ours },
      )
    }
    return undefined
  }

  /** Of those in the past etcd takes all at once: when a new one is told, the others were too, or are before the next mark. */
  async #catchUp(): Promise<void> {
    const revision = await this.#putMark()
    const probe = revision === undefined ? undefined : this.#open(probeStream, 'root')
    if (probe !== undefined) {
      const request = { key: Buffer.from(markKey), start_revision: revision, watch_id: markId }
      await this.#ask(probe, { create_request: request }, 'created')
    }
    if (probe === undefined || probe.streams[0].newestId < 0) await sleep(catchUpMs)
    else await this.#until(() => probe.marksSeen.every((count) => count > 0), settleTimeoutMs)
    this.#drop(probeStream)
  }

  /** Its revision; undefined if none could be put. */
  async #mark(): Promise<number | undefined> {
    const pairs = [...this.#pairs.values()]
    const marked = pairs.filter(({ isMarked }) => isMarked)
    const due = marked.map(({ marksSeen }) => Math.max(...marksSeen) + 1)
    const revision = await this.#putMark()
    if (revision === undefined || marked.length < pairs.length) await sleep(unmarkedWaitMs)
    if (revision === undefined) return undefined
    await this.#until(
      () => marked.every(({ marksSeen }, i) => marksSeen.every((count) => count >= (due[i] ?? 0))),
      settleTimeoutMs,
    )
    return revision
  }

  async #pair(number: number, as: string | undefined): Promise<StreamPair> {
    const known = this.#pairs.get(number)
    if (known?.streams.every(({ isOpen }) => isOpen) === true) return known
    const pair = this.#open(number, as)
    const request = { key: Buffer.from(markKey), watch_id: markId, filters: ['NODELETE'] }
    await this.#ask(pair, { create_request: request }, 'created')
    pair.isMarked = pair.streams[0].newestId >= 0
    return pair
  }

  #open(number: number, as: string | undefined): StreamPair {
    const compared = new LinesCompared()
    const marksSeen: [number, number] = [0, 0]
    const open = (side: Side): WatchStream =>
      this.#servers[side].openStream(as, (watchId, line) => {
        compared.told(side, watchId, line)
        // Answers are words; events begin with a tag.
        if (watchId === markId && line.charCodeAt(0) < 0x20) marksSeen[side]++
        this.#check()
      })
    const streams = [open(0), open(1)] as const
    const pair = { number, streams, compared, alive: [], marksSeen, isMarked: false, begins: 0 }
    this.#pairs.set(number, pair)
    return pair
  }

  #drop(number: number): void {
    for (const stream of this.#pairs.get(number)?.streams ?? []) stream.close()
    this.#pairs.delete(number)
  }

  async #ask(
    { streams }: StreamPair,
    request: Json,
    answer: WatchAnswer,
    isOursAsked = false,
  ): Promise<Seen | undefined> {
    const asked = isOursAsked ? [streams[0]] : streams
    const [theirs, ours = true] = await this.#answers(asked, request, answer)
    return theirs === ours ? undefined : this.#named({ [answer]: theirs }, { [answer]: ours })
  }

  /** Whether each has answered in time. */
  async #answers(
    streams: readonly WatchStream[],
    request: Json,
    answer: WatchAnswer,
  ): Promise<readonly boolean[]> {
    const due = streams.map(({ answers }) => answers[answer] + 1)
    for (const stream of streams) stream.send(request)
    const answered = (): boolean[] =>
      streams.map(({ answers, isOpen }, i) => answers[answer] >= (due[i] ?? 0) || !isOpen)
    // A watch that is gone already is not canceled again.
    const timeoutMs = answer === 'created' ? answerTimeoutMs : cancelTimeoutMs
    await this.#until(() => answered().every((is) => is), timeoutMs)
    return answered()
  }

  /** The time is counted in steps: where the whole machine stood still nobody was late. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      let steps = 0
      const finish = (): void => {
        clearInterval(timer)
        this.#check = () => undefined
        resolve()
      }
      const timer = setInterval(() => {
        if (++steps === waitSteps) finish()
      }, timeoutMs / waitSteps)
      this.#check = () => {
        if (condition()) finish()
      }
    })
  }

  #named(theirs: unknown, ours: unknown): Seen {
    return { [this.#servers[0].name]: theirs, [this.#servers[1].name]: ours }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
