// Options that no member can run with are refused before anything is opened.
import { isMembershipValid } from '../core/membership.ts'
import { electionTimeoutMsDefault, heartbeatIntervalMsDefault } from './defaults.ts'
import type { RaftNodeOptions } from './types.ts'

/** Throws RangeError with the name of the option. */
export function checkOptions<Result>(options: RaftNodeOptions<Result>): void {
  const { id, initialMembership, heartbeatIntervalMs, electionTimeoutMs } = options
  if (!isMembershipValid({ voters: [id], votersOutgoing: [], learners: [] })) {
    throw new RangeError('Member id is not 1 to 64 characters of printable ASCII')
  }
  if (!isMembershipValid(initialMembership)) throw new RangeError('initialMembership is not valid')
  const heartbeatMs = heartbeatIntervalMs ?? heartbeatIntervalMsDefault
  const electionMs = electionTimeoutMs ?? electionTimeoutMsDefault
  if (!(heartbeatMs > 0 && electionMs >= 2 * heartbeatMs)) {
    const text = `electionTimeoutMs is ${electionMs}, not at least twice heartbeatIntervalMs (${heartbeatMs})`
    throw new RangeError(text)
  }
}
