// Where the few slow calls meet the callbacks.
import { KvError } from '../errors.ts'
import type { Done } from './types.ts'

/** Calls back once with what the work gives. */
export function answer<T, R>(done: Done<R>, work: Promise<T>, makeResult: (value: T) => R): void {
  const run = async (): Promise<void> => {
    let result: R
    try {
      result = makeResult(await work)
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return
    }
    done(undefined, result)
  }
  void run()
}
