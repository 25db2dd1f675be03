// What this apiserver writes, until the event of it comes back from the store: the value is known then, so nothing is decoded twice.
import type { KubeObject } from '../../resources/object.ts'
import type { StoredObject } from './stored-object.ts'

interface OwnWrite {
  readonly value: Buffer
  readonly object: KubeObject
  /** Made when the store's answer came before the event. */
  stored: StoredObject | undefined
}

/** Beyond it the oldest are forgotten and their events decoded from bytes. */
const writesMax = 4096

export class OwnWrites {
  readonly #byKey = new Map<string, OwnWrite>()

  /** Before the write is sent. A later one of the same key takes its place. */
  expect(storeKey: string, value: Buffer, object: KubeObject): void {
    this.#byKey.delete(storeKey)
    this.#byKey.set(storeKey, { value, object, stored: undefined })
    if (this.#byKey.size <= writesMax) return
    const oldest = this.#byKey.keys().next()
    if (oldest.done !== true) this.#byKey.delete(oldest.value)
  }

  /** The write was refused or failed. */
  forget(storeKey: string, value: Buffer): void {
    if (this.#byKey.get(storeKey)?.value === value) this.#byKey.delete(storeKey)
  }

  /** The write was done before its event came. */
  written(storeKey: string, value: Buffer, stored: StoredObject): void {
    const write = this.#byKey.get(storeKey)
    if (write?.value === value) write.stored = stored
  }

  /** What was written, if the event is of such a write. */
  take(
    storeKey: string,
    value: Uint8Array,
  ): { readonly object: KubeObject; readonly stored: StoredObject | undefined } | undefined {
    const write = this.#byKey.get(storeKey)
    if (write === undefined || !write.value.equals(value)) return undefined
    this.#byKey.delete(storeKey)
    return write
  }
}
