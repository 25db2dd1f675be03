// Service discovery: instances of a service put their address below its name, held by their session, and others keep a view of it.
import { json } from '../client/codec.ts'
import type { Session } from '../client/session.ts'
import { KvError } from '../errors.ts'
import type { CallOptions, Kv } from '../kv.ts'
import { Place } from './place.ts'
import { openView } from './view.ts'
import type { View, ViewOptions } from './view.ts'

export interface ServiceInstance {
  readonly address: string
  readonly metadata?: Readonly<Record<string, string>>
}
export interface Registration extends AsyncDisposable {
  readonly key: Uint8Array
  /** Aborted when others do not see the instance any more. */
  readonly lost: AbortSignal
  /** Changes what others see. Rejects with LOCK_LOST when they do not see the instance any more. */
  update(instance: ServiceInstance, options?: CallOptions): Promise<void>
  /** Idempotent. */
  withdraw(): Promise<void>
}

const instances = json<ServiceInstance>()

/** Others see the instance until it is withdrawn or the session ends. */
export async function register(
  session: Session,
  service: string,
  instance: ServiceInstance,
  options: CallOptions = {},
): Promise<Registration> {
  const value = instances.encode(instance)
  const place = await Place.enter(session, service, { ...options, value })
  const { key, lost } = place
  const withdraw = (): Promise<void> => place.leave()
  return {
    key,
    lost,
    update: async (changed, call = {}) => {
      const put = { op: 'put', key, value: instances.encode(changed), lease: session.id } as const
      const txn = { ...call, if: [place.isMine], then: [put], repeatable: true }
      if (!(await session.kv.txn(txn)).succeeded) throw new KvError('LOCK_LOST')
    },
    withdraw,
    [Symbol.asyncDispose]: withdraw,
  }
}

/** The instances of a service, kept up to date. */
export function discover(
  kv: Kv,
  service: string,
  options: ViewOptions<ServiceInstance> = {},
): Promise<View<ServiceInstance>> {
  return openView(kv, `${service}/`, instances, options)
}
