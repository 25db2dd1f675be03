// The pods that wait for a node. Active ones are ordered by priority, then by age in the queue. One that fitted nowhere waits until the
// cluster changes, and at least its back-off (1 s doubling to 10 s); after five minutes it is tried again anyway.
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'

interface Entry {
  readonly pod: Stored<Pod>
  /** Tries that found no node. */
  readonly attempts: number
  /** Not before this time. */
  readonly notBeforeMs: number
  readonly sequence: number
}

const firstBackOffMs = 1000
const backOffMsMax = 10_000
const unschedulableMsMax = 300_000

export class SchedulingQueue {
  readonly #active = new Map<string, Entry>()
  readonly #unschedulable = new Map<string, Entry & { readonly sinceMs: number }>()
  /** Between take() and its outcome. */
  readonly #attempts = new Map<string, Entry>()
  #order: string[] | undefined
  #sequence = 0

  get size(): number {
    return this.#active.size + this.#unschedulable.size
  }

  /** A pod that is new, or changed: a changed spec may fit where the old one did not. */
  put(pod: Stored<Pod>): void {
    const { uid } = pod.metadata
    const waiting = this.#unschedulable.get(uid)
    if (waiting !== undefined && waiting.pod.metadata.generation === pod.metadata.generation) {
      this.#unschedulable.set(uid, { ...waiting, pod })
      return
    }
    const known = this.#active.get(uid) ?? waiting
    this.#unschedulable.delete(uid)
    this.#activate({
      pod,
      attempts: known?.attempts ?? 0,
      notBeforeMs: known?.notBeforeMs ?? 0,
      sequence: known?.sequence ?? this.#sequence++,
    })
  }

  remove(uid: string): void {
    this.#active.delete(uid)
    this.#unschedulable.delete(uid)
  }

  /** The next pod to schedule; it is no longer in the queue. */
  take(nowMs: number): Stored<Pod> | undefined {
    for (const [uid, entry] of this.#unschedulable)
      if (nowMs - entry.sinceMs >= unschedulableMsMax) this.#reactivate(uid, entry)
    this.#order ??= this.#ordered()
    const skipped: string[] = []
    let taken: Stored<Pod> | undefined
    while (taken === undefined) {
      const uid = this.#order.pop()
      if (uid === undefined) break
      const entry = this.#active.get(uid)
      if (entry === undefined) continue
      if (entry.notBeforeMs > nowMs) skipped.push(uid)
      else {
        this.#active.delete(uid)
        this.#attempts.set(uid, entry)
        taken = entry.pod
      }
    }
    this.#order.push(...skipped.reverse())
    return taken
  }

  /** It has a node. */
  done(uid: string): void {
    this.#attempts.delete(uid)
  }

  /** It fitted nowhere (`unschedulable`: waits for a change of the cluster), or its binding failed. */
  failed(pod: Stored<Pod>, nowMs: number, why: 'unschedulable' | 'error'): void {
    const { uid } = pod.metadata
    const before = this.#attempts.get(uid)
    this.#attempts.delete(uid)
    const attempts = (before?.attempts ?? 0) + 1
    const delayMs = Math.min(backOffMsMax, firstBackOffMs * 2 ** Math.min(attempts - 1, 10))
    const notBeforeMs = nowMs + delayMs
    const sequence = before?.sequence ?? this.#sequence++
    const entry = { pod, attempts, notBeforeMs, sequence }
    if (why === 'error') this.#activate(entry)
    else this.#unschedulable.set(uid, { ...entry, sinceMs: nowMs })
  }

  /** The cluster changed in favour of those that fitted nowhere. */
  clusterChanged(): void {
    for (const [uid, entry] of this.#unschedulable) this.#reactivate(uid, entry)
  }

  /** Milliseconds until take() may have something; undefined: not before a change. */
  nextMs(nowMs: number): number | undefined {
    const times = [
      ...[...this.#active.values()].map(({ notBeforeMs }) => notBeforeMs),
      ...[...this.#unschedulable.values()].map(({ sinceMs }) => sinceMs + unschedulableMsMax),
    ]
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - nowMs)
  }

  #reactivate(uid: string, entry: Entry): void {
    this.#unschedulable.delete(uid)
    this.#activate(entry)
  }

  #activate(entry: Entry): void {
    this.#active.set(entry.pod.metadata.uid, entry)
    this.#order = undefined
  }

  /** The next one last. */
  #ordered(): string[] {
    return [...this.#active]
      .toSorted(
        ([, left], [, right]) => priority(left) - priority(right) || right.sequence - left.sequence,
      )
      .map(([uid]) => uid)
  }
}

const priority = ({ pod }: Entry): number => pod.spec.priority ?? 0
