// The one assertion of the house. On in production. The text must be static, so that a passing check costs about a nanosecond.

/** Thrown when something happened that only a bug can cause. The member stops; its data stays as it was. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the default branch of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value ${JSON.stringify(value)}`)
}
