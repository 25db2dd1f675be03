// A client whose process can be gone from one moment to the next: requests under way are done or not, nobody hears of them, and nothing
// is sent any more.
import type { KubeObject } from '../../resources/object.ts'
import type { ApiClient, ApiWatchHandlers, ListOptions, ResourceRef } from '../api-client.ts'

export interface SeverableClient {
  readonly client: ApiClient
  /** From now on every request is rejected, and watches are silent. */
  sever(): void
}

export function severableClient(inner: ApiClient): SeverableClient {
  let isSevered = false
  const closers = new Set<() => void>()
  const alive = async <T>(request: () => Promise<T>): Promise<T> => {
    if (isSevered) throw new Error('The client is gone')
    const answer = await request()
    if (isSevered) throw new Error('The client was gone')
    return answer
  }
  const client: ApiClient = {
    get: (...args) => alive(() => inner.get(...args)),
    list: (...args) => alive(() => inner.list(...args)),
    create: (...args) => alive(() => inner.create(...args)),
    update: (...args) => alive(() => inner.update(...args)),
    patch: (...args) => alive(() => inner.patch(...args)),
    apply: (...args) => alive(() => inner.apply(...args)),
    delete: (...args) => alive(() => inner.delete(...args)),
    bind: (...args) => alive(() => inner.bind(...args)),
    createToken: (...args) => alive(() => inner.createToken(...args)),
    watch: <T extends KubeObject>(
      ref: ResourceRef,
      options: ListOptions & { resourceVersion: string },
      handlers: ApiWatchHandlers<T>,
    ) => {
      if (isSevered) return () => undefined
      const close = inner.watch<T>(ref, options, {
        event: (event) => void (isSevered || handlers.event(event)),
        ended: (error) => void (isSevered || handlers.ended(error)),
      })
      closers.add(close)
      return () => {
        closers.delete(close)
        close()
      }
    },
  }
  return {
    client,
    sever: () => {
      isSevered = true
      for (const close of closers) close()
      closers.clear()
    },
  }
}
