// What a controller wrote and its cache has not seen yet. A reconcile that ran on such a cache would do the same work twice, so the loop
// waits. A write is seen when the informer of its collection has passed its resourceVersion; a deletion when the object is gone, or going.
import type { CollectionRef } from '../controllers/action.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { keyOf } from '../client/object-cache.ts'

/** The part of an informer that expectations ask. */
export interface SeenView {
  readonly seenResourceVersion: string
  get(key: string): Stored<KubeObject> | undefined
}

interface Expected {
  /** By collection: the newest resourceVersion written. */
  readonly written: Map<string, number>
  readonly deleted: { readonly collection: string; readonly key: string; readonly uid: string }[]
  readonly sinceMs: number
}

/** After that the cache is trusted again, as upstream does: a lost event must not stop a controller for good. */
export const expectationTimeoutMs = 300_000

export const collectionName = (ref: CollectionRef): string => `${ref.plural}.${ref.group}`

export class Expectations {
  readonly #views: ReadonlyMap<string, SeenView>
  readonly #expected = new Map<string, Expected>()

  /** `views` by collectionName; collections that are not in it are not waited for. */
  constructor(views: ReadonlyMap<string, SeenView>) {
    this.#views = views
  }

  wrote(key: string, ref: CollectionRef, resourceVersion: string, nowMs: number): void {
    const { written } = this.#of(key, nowMs)
    const name = collectionName(ref)
    written.set(name, Math.max(written.get(name) ?? 0, Number(resourceVersion)))
  }

  deleted(
    key: string,
    target: { ref: CollectionRef; namespace: string | undefined; name: string; uid: string },
    nowMs: number,
  ): void {
    this.#of(key, nowMs).deleted.push({
      collection: collectionName(target.ref),
      key: keyOf(target.namespace, target.name),
      uid: target.uid,
    })
  }

  /** Whether the caches hold all that was done for `key`. */
  isSatisfied(key: string, nowMs: number): boolean {
    const expected = this.#expected.get(key)
    if (expected === undefined) return true
    const isSeen =
      [...expected.written].every(([name, version]) => {
        const view = this.#views.get(name)
        return view === undefined || Number(view.seenResourceVersion) >= version
      }) &&
      expected.deleted.every(({ collection, key: target, uid }) => {
        const object = this.#views.get(collection)?.get(target)
        return object?.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined
      })
    if (!isSeen && nowMs - expected.sinceMs < expectationTimeoutMs) return false
    this.#expected.delete(key)
    return true
  }

  #of(key: string, nowMs: number): Expected {
    const known = this.#expected.get(key)
    if (known !== undefined) return known
    const made: Expected = { written: new Map(), deleted: [], sinceMs: nowMs }
    this.#expected.set(key, made)
    return made
  }
}
