// Times as objects carry them: RFC 3339 in UTC with whole seconds.

/** The text of epoch milliseconds. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
