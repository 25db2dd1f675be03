// The member's clock: the shape of raft's Clock port, so that a simulation drives both with one.

export interface MemberClock {
  /** Monotonic milliseconds. */
  now(): number
  /** Milliseconds since 1970, for what outlives the process (tokens that expire); may jump. Left out: now(). */
  wallMs?(): number
  /** Calls back once after `ms`; returns the cancel function. */
  setTimer(ms: number, callback: () => void): () => void
  /** Calls back after the current turn of the event loop. */
  defer(callback: () => void): void
}

/** Timers do not keep the process alive. */
export const nodeMemberClock: MemberClock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
  defer: (callback) => void setImmediate(callback),
}
