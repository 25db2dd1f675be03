// Options that no member can run with are refused before anything is opened.
import { isMembershipValid, isVoter, isWitness } from '../core/membership.ts'
import { electionTimeoutMsDefault, heartbeatIntervalMsDefault } from './defaults.ts'
import type { RaftNodeOptions } from './types.ts'

/** A vote carries 32 bits of it. */
const priorityMax = 2 ** 32 - 1

/** Throws RangeError with the name of the option. */
export function checkOptions<Result>(options: RaftNodeOptions<Result>): void {
  const {
    id,
    initialMembership,
    witness,
    heartbeatIntervalMs,
    electionTimeoutMs,
    electionPriority,
    leaseReads,
  } = options
  if (!isMembershipValid({ voters: [id], votersOutgoing: [], learners: [] })) {
    throw new RangeError('Member id is not 1 to 64 characters of printable ASCII')
  }
  if (!isMembershipValid(initialMembership)) throw new RangeError('initialMembership is not valid')
  const isListed = isVoter(initialMembership, id)
  if (isListed && isWitness(initialMembership, id) !== (witness === true)) {
    throw new RangeError('witness is not what initialMembership says of this member')
  }
  const heartbeatMs = heartbeatIntervalMs ?? heartbeatIntervalMsDefault
  const electionMs = electionTimeoutMs ?? electionTimeoutMsDefault
  if (!(heartbeatMs > 0 && electionMs >= 2 * heartbeatMs)) {
    const text = `electionTimeoutMs is ${electionMs}, not at least twice heartbeatIntervalMs (${heartbeatMs})`
    throw new RangeError(text)
  }
  const priority = electionPriority ?? 0
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= priorityMax)) {
    throw new RangeError(`electionPriority is ${priority}, not a whole number below 2^32`)
  }
  const rate = leaseReads?.maxDriftRate ?? 0
  if (!(rate >= 0 && rate <= 0.5)) {
    throw new RangeError(`leaseReads.maxDriftRate is ${rate}, not between 0 and 0.5`)
  }
}
