// How many permissions a role may have by now, at the most: beyond some their order is not compared, and they are not given.
import type { Operation } from './operation.ts'
import { permissionsMax } from './stricter.ts'

type Call = Extract<Operation, { type: 'call' }>

export class RoleSizes {
  readonly #sizes = new Map<unknown, number>()

  isFull({ method, body }: Call): boolean {
    const isGrant = method === 'Auth/RoleGrantPermission'
    return isGrant && (this.#sizes.get(body['name']) ?? 0) >= permissionsMax
  }

  /** What was done; one that takes the place of another counts too. */
  changed({ method, body }: Call): void {
    if (method === 'Auth/RoleDelete') this.#sizes.delete(body['role'])
    if (method !== 'Auth/RoleGrantPermission') return
    this.#sizes.set(body['name'], (this.#sizes.get(body['name']) ?? 0) + 1)
  }
}
