// All that was ever written below /registry/, in the order in which the store took it: what is there now, and each change to whoever checks.
import type { Kv } from '@balsa/kv'
import type { KubeObject, Stored } from '../../packages/orchestrator/src/resources/object.ts'

export interface RegistryChange {
  readonly key: string
  /** undefined: it is gone. */
  readonly object: Stored<KubeObject> | undefined
  readonly previous: Stored<KubeObject> | undefined
  readonly revision: number
}

const prefix = '/registry/'
const decoder = new TextDecoder()

export class RegistryHistory {
  readonly #objects = new Map<string, Stored<KubeObject>>()
  readonly #close: () => void
  readonly #onChange: (change: RegistryChange) => void
  /** Why it tells no more. */
  ended: string | undefined
  /** Of what was written by key, since `forgetWrites`. */
  readonly writes: string[] = []

  /** The store is empty when it begins. */
  constructor(kv: Kv, onChange: (change: RegistryChange) => void) {
    this.#onChange = onChange
    const watch = kv.watch(
      { prefix, startRevision: 1 },
      {
        batch: ({ events }) => {
          for (const { type, kv: pair } of events) {
            const value = type === 'delete' ? undefined : decoder.decode(pair.value)
            this.#take(decoder.decode(pair.key), value, pair.modRevision)
          }
        },
        ended: (error) => {
          this.ended = error?.message ?? 'closed'
        },
      },
    )
    this.#close = () => watch.close()
  }

  close(): void {
    this.#close()
  }

  /** Those of a collection, e.g. `pods` or `pods/default`. */
  all<T extends KubeObject>(place: string): Stored<T>[] {
    const start = `${prefix}${place}/`
    return [...this.#objects]
      .filter(([key]) => key.startsWith(start))
      .map(([, object]) => object as Stored<T>)
  }
  get<T extends KubeObject>(place: string): Stored<T> | undefined {
    return this.#objects.get(`${prefix}${place}`) as Stored<T> | undefined
  }
  entries(): readonly (readonly [string, Stored<KubeObject>])[] {
    return [...this.#objects]
  }
  forgetWrites(): void {
    this.writes.length = 0
  }

  #take(key: string, value: string | undefined, revision: number): void {
    const previous = this.#objects.get(key)
    const object = value === undefined ? undefined : (JSON.parse(value) as Stored<KubeObject>)
    if (object === undefined) this.#objects.delete(key)
    else this.#objects.set(key, object)
    this.writes.push(key)
    this.#onChange({ key, object, previous, revision })
  }
}
