// While an alarm for space is raised nothing is put and no lease granted; while none is, nothing is refused for it.
import { txnCost } from '../../mvcc/request-cost.ts'
import type { Call } from '../calls.ts'
import type { AlarmState } from '../sim-alarm.ts'
import type { Timeline } from '../timeline.ts'
import { Violation } from '../violation.ts'

const property = 'alarms'

export class SpaceChecker {
  readonly #timeline: Timeline<AlarmState>

  constructor(timeline: Timeline<AlarmState>) {
    this.#timeline = timeline
  }

  answered(call: Call): void {
    if (!takesSpace(call) || this.#timeline.since(call.calledMs).includes('clear')) return
    throw new Violation(property, `request ${call.number} was done while there was no space`)
  }

  /** With NO_SPACE. */
  refused(call: Call): void {
    if (takesSpace(call) && this.#timeline.since(call.calledMs).includes('raised')) return
    throw new Violation(property, `request ${call.number} was refused for space without an alarm`)
  }
}

function takesSpace({ request }: Call): boolean {
  const { type } = request
  if (type === 'txn') return txnCost(request.request) > 0
  return type === 'put' || type === 'leaseGrant'
}
