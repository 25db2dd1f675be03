// The objects an informer knows, with indexes kept beside them. Objects are shared with all readers and never changed.
import type { KubeObject, Stored } from '../resources/object.ts'

/** The values under which an object is found in an index; none: it is not in it. */
export type IndexFunction<T extends KubeObject> = (object: Stored<T>) => readonly string[]

/** `NAMESPACE/NAME`, or `NAME` for cluster-scoped objects: what work queues carry. */
export const objectKey = (object: KubeObject): string =>
  keyOf(object.metadata.namespace, object.metadata.name ?? '')

export const keyOf = (namespace: string | undefined, name: string): string =>
  namespace === undefined || namespace === '' ? name : `${namespace}/${name}`

/** The parts of a key made by keyOf. */
export const splitKey = (key: string): { namespace: string | undefined; name: string } => {
  const slash = key.indexOf('/')
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

interface Index<T extends KubeObject> {
  readonly of: IndexFunction<T>
  readonly entries: Map<string, Map<string, Stored<T>>>
}

export class ObjectCache<T extends KubeObject> {
  readonly #objects = new Map<string, Stored<T>>()
  readonly #indexes = new Map<string, Index<T>>()

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    for (const [name, of] of Object.entries(indexes)) this.addIndex(name, of)
  }

  /** Holds what is there already, too. A name that is taken keeps its first function. */
  addIndex(name: string, of: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return
    const index: Index<T> = { of, entries: new Map() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) addEntries(index, key, object)
  }

  get size(): number {
    return this.#objects.size
  }
  get(key: string): Stored<T> | undefined {
    return this.#objects.get(key)
  }
  list(): Stored<T>[] {
    return [...this.#objects.values()]
  }
  keys(): string[] {
    return [...this.#objects.keys()]
  }

  /** Objects whose index function gave `value`; an index that was not declared is a bug of the caller and finds nothing. */
  find(index: string, value: string): Stored<T>[] {
    const found = this.#indexes.get(index)?.entries.get(value)
    return found === undefined ? [] : [...found.values()]
  }

  /** Whether find() has nothing for any value. */
  isIndexEmpty(index: string): boolean {
    return (this.#indexes.get(index)?.entries.size ?? 0) === 0
  }

  /** Returns what was there before. */
  set(key: string, object: Stored<T>): Stored<T> | undefined {
    const previous = this.#objects.get(key)
    if (previous !== undefined) this.#unindex(key, previous)
    this.#objects.set(key, object)
    for (const index of this.#indexes.values()) addEntries(index, key, object)
    return previous
  }

  /** Returns what was there. */
  delete(key: string): Stored<T> | undefined {
    const previous = this.#objects.get(key)
    if (previous === undefined) return undefined
    this.#objects.delete(key)
    this.#unindex(key, previous)
    return previous
  }

  #unindex(key: string, object: Stored<T>): void {
    for (const { of, entries } of this.#indexes.values()) {
      for (const value of of(object)) {
        const found = entries.get(value)
        found?.delete(key)
        if (found?.size === 0) entries.delete(value)
      }
    }
  }
}

function addEntries<T extends KubeObject>(
  { of, entries }: Index<T>,
  key: string,
  object: Stored<T>,
): void {
  for (const value of of(object)) {
    const found = entries.get(value)
    if (found === undefined) entries.set(value, new Map([[key, object]]))
    else found.set(key, object)
  }
}
