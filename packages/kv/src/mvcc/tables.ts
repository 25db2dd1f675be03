// The door of the pure code to storage: rows by key in text form. A write is seen by every later get, and is durable when the
// shell says so.

export interface Tables {
  get(key: string): Uint8Array | undefined
  /** The value must not be changed afterwards. */
  put(key: string, value: Uint8Array): void
  delete(key: string): void
}

/** What a store asks of the leases: who holds a key, and that changes of keys are followed. */
export interface LeaseBook {
  exists(id: bigint): boolean
  /** 0n: the key has no lease. */
  leaseOf(key: string): bigint
  attach(id: bigint, key: string): void
  /** A key without a lease stays without one. */
  detach(key: string): void
}
