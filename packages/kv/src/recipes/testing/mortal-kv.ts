// A Kv whose program can be killed: from then on nothing it does reaches the cluster, and nothing says goodbye.
import { KvError } from '../../errors.ts'
import type { Kv } from '../../kv.ts'

export interface MortalKv {
  readonly kv: Kv
  kill(): void
}

export function mortalKv(kv: Kv): MortalKv {
  let isDead = false
  const proxy = new Proxy(kv, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown =>
        isDead
          ? Promise.reject(new KvError('CONNECTION_LOST'))
          : (Reflect.apply(member, target, args) as unknown)
    },
  })
  return { kv: proxy, kill: () => void (isDead = true) }
}
