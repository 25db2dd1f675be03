// Writes Kubernetes Events about objects. Repeats of one event raise the count of one Event object, many similar ones are combined, and an
// object that makes too many is cut off, as upstream's event correlator does it. Events are best effort: nothing ever waits for one.
import { randomBytes } from 'node:crypto'
import type { KubeObject, Stored } from '../resources/object.ts'
import { timestamp } from '../resources/timestamp.ts'
import type { ApiClient, ResourceRef } from './api-client.ts'
import { isApiError, isNamespaceEnding } from './is-api-error.ts'

/** The object an event is about. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion?: string
  readonly fieldPath?: string
}
export interface EventInput {
  readonly regarding: ObjectReference
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}
export interface EventRecorder {
  record(event: EventInput): void
  /** Resolves when what was recorded before is written or given up. */
  close(): Promise<void>
}

interface EventObject extends KubeObject {
  readonly involvedObject: ObjectReference
  readonly reason: string
  readonly message: string
  readonly type: string
  readonly count: number
  readonly firstTimestamp: string
  readonly lastTimestamp: string
  readonly source: { readonly component: string; readonly host?: string }
  readonly reportingComponent: string
  readonly reportingInstance: string
}

export const referenceTo = (object: Stored<KubeObject>, fieldPath?: string): ObjectReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  name: object.metadata.name,
  uid: object.metadata.uid,
  resourceVersion: object.metadata.resourceVersion,
  ...(fieldPath === undefined ? {} : { fieldPath }),
})

const eventsRef: ResourceRef = { group: '', version: 'v1', plural: 'events' }
/** Events that wait in all lanes together. */
const queuedMax = 10_000
/** Events of one object are written one after the other, those of different objects side by side. */
const lanesCount = 8
const rememberedMax = 4096
const messageCharactersMax = 1024
/** Different messages of one reason about one object within the window, before they are combined. */
const similarMax = 10
const similarWindowMs = 600_000
const burstPerObjectMax = 25
const refillMs = 300_000

interface Lane {
  readonly queue: EventInput[]
  writing: Promise<void> | undefined
}

const laneOf = (uid: string): number => {
  let hash = 0
  for (let index = 0; index < uid.length; index++) hash = (hash * 31 + uid.charCodeAt(index)) | 0
  return (hash >>> 0) % lanesCount
}

interface Remembered {
  readonly name: string
  readonly namespace: string
  count: number
}

export class ApiEventRecorder implements EventRecorder {
  readonly #client: ApiClient
  readonly #source: { component: string; host?: string }
  readonly #onError: (error: unknown) => void
  readonly #lanes: Lane[] = Array.from({ length: lanesCount }, () => ({
    queue: [],
    writing: undefined,
  }))
  readonly #remembered = new Map<string, Remembered>()
  readonly #similar = new Map<string, { messages: Set<string>; lastMs: number }>()
  readonly #budgets = new Map<string, { tokens: number; atMs: number }>()
  #queued = 0
  #dropped = 0

  /** `onError` hears of every event that was given up. */
  constructor(
    client: ApiClient,
    source: { component: string; host?: string },
    onError: (error: unknown) => void = () => undefined,
  ) {
    this.#client = client
    this.#source = source
    this.#onError = onError
  }

  record(event: EventInput): void {
    if (this.#queued >= queuedMax) {
      this.#dropped++
      return
    }
    const lane = this.#lanes[laneOf(event.regarding.uid)]
    if (lane === undefined) return
    this.#queued++
    lane.queue.push(event)
    lane.writing ??= this.#writeAll(lane)
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(({ writing }) => writing ?? Promise.resolve()))
  }

  async #writeAll(lane: Lane): Promise<void> {
    for (let event = lane.queue.shift(); event !== undefined; event = lane.queue.shift()) {
      this.#queued--
      try {
        await this.#write(event)
      } catch (reason) {
        if (!isNamespaceEnding(reason)) this.#onError(reason)
      }
    }
    // In the same turn as the last look at the queue, so that no event falls between.
    lane.writing = undefined
    this.#tellDropped()
  }

  /** Once, when there is room again. */
  #tellDropped(): void {
    if (this.#dropped === 0 || this.#queued > 0) return
    this.#onError(new Error(`${this.#dropped} events were dropped: too many waited to be written`))
    this.#dropped = 0
  }

  async #write(input: EventInput): Promise<void> {
    const nowMs = Date.now()
    if (!this.#isWithinBudget(`${this.#source.component} ${input.regarding.uid}`, nowMs)) return
    const message = this.#combinedMessage(input, nowMs)
    const { uid, fieldPath = '' } = input.regarding
    const key = [uid, fieldPath, input.type, input.reason, message].join('\0')
    const time = timestamp(nowMs)
    const known = this.#remembered.get(key)
    if (known !== undefined) {
      known.count++
      const patch = { count: known.count, lastTimestamp: time, message }
      try {
        await this.#client.patch(eventsRef, known.namespace, known.name, 'merge', patch)
        return
      } catch (reason) {
        if (!isApiError(reason, 404)) throw reason
      }
    }
    const event = this.#eventObject(input, message, time)
    await this.#client.create(eventsRef, event)
    remember(this.#remembered, key, {
      name: event.metadata.name ?? '',
      namespace: event.metadata.namespace ?? '',
      count: 1,
    })
  }

  #eventObject(input: EventInput, message: string, time: string): EventObject {
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${input.regarding.name}.${randomBytes(8).toString('hex')}`,
        namespace: input.regarding.namespace ?? 'default',
      },
      involvedObject: input.regarding,
      reason: input.reason,
      message,
      type: input.type,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: this.#source,
      reportingComponent: this.#source.component,
      reportingInstance: this.#source.host ?? '',
    }
  }

  #combinedMessage(input: EventInput, nowMs: number): string {
    const message = input.message.slice(0, messageCharactersMax)
    const key = [input.regarding.uid, input.type, input.reason].join('\0')
    const known = this.#similar.get(key)
    const similar =
      known === undefined || nowMs - known.lastMs > similarWindowMs
        ? { messages: new Set<string>(), lastMs: nowMs }
        : known
    similar.lastMs = nowMs
    const isCombined = !similar.messages.has(message) && similar.messages.size >= similarMax
    if (!isCombined) similar.messages.add(message)
    remember(this.#similar, key, similar)
    return isCombined ? `(combined from similar events): ${message}` : message
  }

  #isWithinBudget(key: string, nowMs: number): boolean {
    const known = this.#budgets.get(key) ?? { tokens: burstPerObjectMax, atMs: nowMs }
    const tokens = Math.min(burstPerObjectMax, known.tokens + (nowMs - known.atMs) / refillMs)
    const isWithin = tokens >= 1
    remember(this.#budgets, key, { tokens: isWithin ? tokens - 1 : tokens, atMs: nowMs })
    return isWithin
  }
}

/** Keeps the `rememberedMax` entries used last. */
function remember<V>(entries: Map<string, V>, key: string, value: V): void {
  entries.delete(key)
  entries.set(key, value)
  if (entries.size <= rememberedMax) return
  for (const oldest of entries.keys()) {
    entries.delete(oldest)
    return
  }
}
