// One place in a queue of keys, taken by a session: the common part of locks, semaphores and elections.
import { backOffMs, delay } from '../client/back-off.ts'
import { orAbort } from '../client/or-abort.ts'
import type { Session } from '../client/session.ts'
import { KvError } from '../errors.ts'
import type { Bytes, CallOptions, Condition } from '../kv.ts'
import { enterQueue, placeKey } from './key-queue.ts'
import type { QueuePlace } from './key-queue.ts'

export class Place {
  readonly session: Session
  readonly key: Uint8Array
  /** The revision that took it: grows with every place that is taken in this cluster. */
  readonly revision: number
  /** Nobody was ahead when it was taken. */
  readonly isHead: boolean
  readonly #left = new AbortController()

  private constructor(session: Session, entered: QueuePlace) {
    this.session = session
    this.key = entered.key
    this.revision = entered.createRevision
    this.isHead = entered.isHead
  }

  /** Takes a place at the end of the queue `name`. */
  static async enter(
    session: Session,
    name: Bytes,
    options: CallOptions & { readonly value?: Bytes } = {},
  ): Promise<Place> {
    const { value = '', signal } = options
    const contender = session.nextName()
    const entering = enterQueue(session.kv, { name, contender, lease: session.id, value })
    try {
      return new Place(session, await orAbort(entering, signal))
    } catch (reason) {
      // It may be taken all the same, now or a little later.
      const over = entering.then(
        () => 'taken',
        () => 'unknown',
      )
      void over.then(() => giveBack(session, placeKey(name, contender)))
      throw reason
    }
  }

  /** True as long as the place is held: the condition of a txn that must not come too late. */
  get isMine(): Condition {
    return { key: this.key, target: 'create', is: '=', than: this.revision }
  }

  /** Aborted once the place is given back or the session is lost. */
  get lost(): AbortSignal {
    return AbortSignal.any([this.#left.signal, this.session.lost])
  }

  /** Runs what waits for the turn; leaves the queue if that fails. Rejects with LOCK_LOST if the session ends meanwhile. */
  async waitFor(
    wait: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { lost, kv } = this.session
    try {
      await wait(signal === undefined ? lost : AbortSignal.any([signal, lost]))
      const own = await kv.get(this.key)
      if (own?.createRevision !== this.revision) throw new KvError('LOCK_LOST')
    } catch (reason) {
      await this.leave()
      throw lost.aborted ? new KvError('LOCK_LOST', { cause: reason }) : reason
    }
  }

  /** Idempotent. Resolves also when the cluster cannot be reached: then it is tried again until the session ends. */
  async leave(): Promise<void> {
    if (this.#left.signal.aborted) return
    this.#left.abort(new KvError('LOCK_LOST', { message: 'it was given back' }))
    await giveBack(this.session, this.key)
  }
}

/** Names of places are never used twice, so a late delete meets nobody else's key. */
async function giveBack(session: Session, key: Uint8Array): Promise<void> {
  if (await tryDelete(session, key)) return
  const again = async (): Promise<void> => {
    for (let attempt = 0; !session.lost.aborted; attempt++) {
      if (await tryDelete(session, key)) return
      await delay(backOffMs(attempt))
    }
  }
  void again()
}

/** True also when there is no need any more. */
async function tryDelete({ kv, lost }: Session, key: Uint8Array): Promise<boolean> {
  try {
    await kv.delete(key, { repeatable: true })
    return true
  } catch (reason) {
    if (!(reason instanceof KvError)) throw reason
    return lost.aborted || reason.code === 'ABORTED'
  }
}
