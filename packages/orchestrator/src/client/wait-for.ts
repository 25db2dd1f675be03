// Waits until an object is as wished: for tests and scripts. Follows the object by a watch, so it neither polls nor misses a state.
import type { Condition, KubeObject, Stored } from '../resources/object.ts'
import type { ApiClient, ResourceRef } from './api-client.ts'
import { Informer } from './informer.ts'
import type { ObjectName } from './resource.ts'

export interface WaitOptions {
  /** 30 s unless given. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const timeoutMsDefault = 30_000

/**
 * Resolves with the object as soon as `isDone` is true of it; `undefined` stands for an object that is not there. Rejects after the
 * timeout with what was seen last, with the signal's reason when that is aborted, and with what `isDone` throws.
 */
export const waitFor = <T extends KubeObject>(
  client: ApiClient,
  ref: ResourceRef,
  { namespace, name }: ObjectName,
  isDone: (object: Stored<T> | undefined) => boolean,
  options: WaitOptions = {},
): Promise<Stored<T> | undefined> => {
  const { timeoutMs = timeoutMsDefault, signal } = options
  return new Promise((resolve, reject) => {
    let lastError: unknown
    let last: Stored<T> | undefined
    const informer = new Informer<T>({
      client,
      ref,
      fieldSelector: `metadata.name=${name}`,
      ...(namespace === undefined ? {} : { namespace }),
      onError: (error) => {
        lastError = error
      },
    })
    const end = (finish: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      informer.close()
      finish()
    }
    const onAbort = (): void => end(() => reject(asError(signal?.reason)))
    const timer = setTimeout(() => {
      const seen = last === undefined ? 'it is not there' : `it is ${JSON.stringify(last)}`
      const error = new Error(
        `waited ${timeoutMs} ms in vain for ${ref.plural} ${JSON.stringify(name)}: ${seen}`,
        { cause: lastError },
      )
      end(() => reject(error))
    }, timeoutMs)
    const look = (object: Stored<T> | undefined): void => {
      last = object
      try {
        if (isDone(object)) end(() => resolve(object))
      } catch (reason) {
        end(() => reject(asError(reason)))
      }
    }
    if (signal?.aborted === true) {
      onAbort()
      return
    }
    signal?.addEventListener('abort', onAbort)
    informer.onChange((_key, current) => look(current))
    informer.start()
    const lookIfMissing = async (): Promise<void> => {
      await informer.synced()
      if (last === undefined) look(undefined)
    }
    void lookIfMissing()
  })
}

/** Whether the object has that condition with that status, for the generation it has now where it tells. */
export const hasCondition = (
  object: KubeObject | undefined,
  type: string,
  status: Condition['status'] = 'True',
): boolean => {
  const { status: state, metadata } = (object ?? {}) as Partial<Conditioned>
  const observed = state?.observedGeneration
  if (observed !== undefined && observed < (metadata?.generation ?? 0)) return false
  return (state?.conditions ?? []).some((one) => one.type === type && one.status === status)
}

interface Conditioned extends KubeObject {
  readonly status: {
    readonly observedGeneration?: number
    readonly conditions?: readonly Condition[]
  }
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error('the wait was aborted', { cause: reason })
