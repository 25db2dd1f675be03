// The pods that wait for a node. Active ones are ordered by priority, then by age in the queue. One that fitted nowhere waits until
// something changes that may help it, and at least its back-off (1 s doubling to 10 s); after five minutes it is tried again anyway.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { FailureKind } from '../filters/filter.ts'
import { helps, type ClusterChange } from './cluster-change.ts'
import { Heap } from './heap.ts'

interface Entry {
  readonly pod: Stored<Pod>
  readonly uid: string
  readonly priority: number
  /** Tries that found no node. */
  readonly attempts: number
  /** Not before this time. */
  readonly notBeforeMs: number
  readonly sequence: number
}
interface Unschedulable extends Entry {
  readonly sinceMs: number
  readonly kinds: ReadonlySet<FailureKind>
}

const firstBackOffMs = 1000
const backOffMsMax = 10_000
const unschedulableMsMax = 300_000

export class SchedulingQueue {
  /** Those in #active and #backingOff; what is in a heap and not here (any more) is skipped. */
  readonly #waiting = new Map<string, Entry>()
  readonly #active = new Heap<Entry>(
    (left, right) =>
      left.priority > right.priority ||
      (left.priority === right.priority && left.sequence < right.sequence),
  )
  readonly #backingOff = new Heap<Entry>((left, right) => left.notBeforeMs < right.notBeforeMs)
  /** The one that waits longest first. */
  readonly #unschedulable = new Map<string, Unschedulable>()
  /** Between take() and its outcome. */
  readonly #attempts = new Map<string, Entry>()
  #sequence = 0

  get size(): number {
    return this.#waiting.size + this.#unschedulable.size
  }
  /** Pods that fitted nowhere. */
  get unschedulableCount(): number {
    return this.#unschedulable.size
  }

  /** How many pods wait for what. */
  counts(nowMs: number): {
    readonly active: number
    readonly backoff: number
    readonly unschedulable: number
  } {
    let backoff = 0
    for (const { notBeforeMs } of this.#waiting.values()) if (notBeforeMs > nowMs) backoff++
    const unschedulable = this.#unschedulable.size
    return { active: this.#waiting.size - backoff, backoff, unschedulable }
  }

  /** How often a pod that was taken had found no node before. */
  attemptsBefore(uid: string): number {
    return this.#attempts.get(uid)?.attempts ?? 0
  }

  /** A pod that is new, or changed: a changed spec may fit where the old one did not. */
  put(pod: Stored<Pod>): void {
    const { uid } = pod.metadata
    const waiting = this.#unschedulable.get(uid)
    const isSameSpec = waiting?.pod.metadata.generation === pod.metadata.generation
    if (waiting !== undefined && isSameSpec && !isRelabelled(waiting.pod, pod)) {
      this.#unschedulable.set(uid, { ...waiting, pod })
      return
    }
    if (this.#attempts.has(uid)) return
    const known = this.#waiting.get(uid) ?? waiting
    this.#unschedulable.delete(uid)
    this.#add({
      pod,
      uid,
      priority: pod.spec.priority ?? 0,
      attempts: known?.attempts ?? 0,
      notBeforeMs: known?.notBeforeMs ?? 0,
      sequence: known?.sequence ?? this.#sequence++,
    })
  }

  remove(uid: string): void {
    this.#waiting.delete(uid)
    this.#unschedulable.delete(uid)
    this.#attempts.delete(uid)
  }

  /** The next pod to schedule; it is no longer in the queue. done() or failed() must follow. */
  take(nowMs: number): Stored<Pod> | undefined {
    this.#wakeOverdue(nowMs)
    for (let next = this.#backingOff.peek(); next !== undefined; next = this.#backingOff.peek()) {
      if (next.notBeforeMs > nowMs) break
      this.#backingOff.pop()
      if (this.#waiting.get(next.uid) === next) this.#active.push(next)
    }
    for (let next = this.#active.pop(); next !== undefined; next = this.#active.pop()) {
      if (this.#waiting.get(next.uid) !== next) continue
      this.#waiting.delete(next.uid)
      this.#attempts.set(next.uid, next)
      return next.pod
    }
    return undefined
  }

  /** It has a node. */
  done(uid: string): void {
    this.#attempts.delete(uid)
  }

  /** It fitted nowhere for these kinds of reasons, or (undefined) its binding failed: that is tried again without a change. */
  failed(pod: Stored<Pod>, nowMs: number, kinds: ReadonlySet<FailureKind> | undefined): void {
    const { uid } = pod.metadata
    const before = this.#attempts.get(uid)
    this.#attempts.delete(uid)
    const attempts = (before?.attempts ?? 0) + 1
    const delayMs = Math.min(backOffMsMax, firstBackOffMs * 2 ** Math.min(attempts - 1, 10))
    const entry: Entry = {
      pod,
      uid,
      priority: pod.spec.priority ?? 0,
      attempts,
      notBeforeMs: nowMs + delayMs,
      sequence: before?.sequence ?? this.#sequence++,
    }
    if (kinds === undefined) this.#add(entry)
    else this.#unschedulable.set(uid, { ...entry, sinceMs: nowMs, kinds })
  }

  /** The cluster changed, maybe in favour of those that fitted nowhere. */
  changed(change: ClusterChange): void {
    for (const entry of this.#unschedulable.values())
      if (helps(change, entry.kinds)) this.#reactivate(entry)
  }

  /** Milliseconds until take() may have something; undefined: not before a change. */
  nextMs(nowMs: number): number | undefined {
    for (let top = this.#backingOff.peek(); top !== undefined; top = this.#backingOff.peek()) {
      if (this.#waiting.get(top.uid) === top) break
      this.#backingOff.pop()
    }
    for (let top = this.#active.peek(); top !== undefined; top = this.#active.peek()) {
      if (this.#waiting.get(top.uid) === top) return 0
      this.#active.pop()
    }
    const backOffEnd = this.#backingOff.peek()?.notBeforeMs ?? Number.POSITIVE_INFINITY
    const [oldest] = this.#unschedulable.values()
    const overdue =
      oldest === undefined ? Number.POSITIVE_INFINITY : oldest.sinceMs + unschedulableMsMax
    const atMs = Math.min(backOffEnd, overdue)
    return atMs === Number.POSITIVE_INFINITY ? undefined : Math.max(0, atMs - nowMs)
  }

  #wakeOverdue(nowMs: number): void {
    for (const entry of this.#unschedulable.values()) {
      if (nowMs - entry.sinceMs < unschedulableMsMax) return
      this.#reactivate(entry)
    }
  }

  #reactivate(entry: Unschedulable): void {
    this.#unschedulable.delete(entry.uid)
    this.#add(entry)
  }

  #add(entry: Entry): void {
    this.#waiting.set(entry.uid, entry)
    if (entry.notBeforeMs > 0) this.#backingOff.push(entry)
    else this.#active.push(entry)
  }
}

const isRelabelled = (before: Stored<Pod>, after: Stored<Pod>): boolean =>
  JSON.stringify(before.metadata.labels) !== JSON.stringify(after.metadata.labels)
