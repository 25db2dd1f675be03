// How much one client may ask of a member. The numbers may change while it runs: whoever keeps to them reads them anew each time.

export interface Limits {
  /** Of one request as it goes into the log. */
  requestSizeBytesMax: number
  txnOpsMax: number
  /** Calls under way on one connection. */
  concurrentStreamsMax: number
  /** Clients that ping more often are sent away. */
  keepAliveMinTimeMs: number
  /** After so long without a word a client is pinged; 0: never. */
  keepAliveIntervalMs: number
  /** A client that was pinged has so long to answer; 0: it is not pinged. */
  keepAliveTimeoutMs: number
}

/** etcd's, but for the calls under way, which etcd does not limit. */
export const defaultLimits: Readonly<Limits> = {
  requestSizeBytesMax: 1.5 * 2 ** 20,
  txnOpsMax: 128,
  concurrentStreamsMax: 10_000,
  keepAliveMinTimeMs: 5000,
  keepAliveIntervalMs: 2 * 60 * 60_000,
  keepAliveTimeoutMs: 20_000,
}
