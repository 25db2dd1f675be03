// The member's clock: the shape of raft's Clock port, so that a simulation drives both with one.

export interface MemberClock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls back once after `ms`; returns the cancel function. */
  setTimer(ms: number, callback: () => void): () => void
  /** Calls back after the current turn of the event loop. */
  defer(callback: () => void): void
}

/** Timers do not keep the process alive. */
export const nodeMemberClock: MemberClock = {
  now: () => performance.now(),
  setTimer: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
  defer: (callback) => void setImmediate(callback),
}
