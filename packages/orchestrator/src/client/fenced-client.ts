// The client of something that may act only while a signal lasts, e.g. while it leads: afterwards it sends nothing. What was sent before
// may still be done.
import type { ApiClient } from './api-client.ts'

/** Rejects with the signal's reason once it is aborted. */
export function fencedClient(inner: ApiClient, signal: AbortSignal): ApiClient {
  const unlessEnded = async <T>(request: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    return request()
  }
  return {
    get: (...args) => unlessEnded(() => inner.get(...args)),
    list: (...args) => unlessEnded(() => inner.list(...args)),
    watch: (...args) => inner.watch(...args),
    create: (...args) => unlessEnded(() => inner.create(...args)),
    update: (...args) => unlessEnded(() => inner.update(...args)),
    patch: (...args) => unlessEnded(() => inner.patch(...args)),
    apply: (...args) => unlessEnded(() => inner.apply(...args)),
    delete: (...args) => unlessEnded(() => inner.delete(...args)),
    bind: (...args) => unlessEnded(() => inner.bind(...args)),
    createToken: (...args) => unlessEnded(() => inner.createToken(...args)),
  }
}
