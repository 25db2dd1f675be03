// An alarm for space that somebody raises and clears, of a member that is not there: nobody else has a say over it.
import { encodeAlarmRequest } from '../proto/index.ts'
import { alarmAction, alarmType } from '../proto/messages.ts'
import type { Deed, Operator } from './operator.ts'
import type { Timeline } from './timeline.ts'

export type AlarmState = 'clear' | 'raised'

const memberId = 1n

export function changeAlarms(
  operator: Operator,
  everyMs: number,
  timeline: Timeline<AlarmState>,
  state: AlarmState = 'raised',
): void {
  operator.later(everyMs, () => {
    timeline.begin(state)
    operator.insist(deeds[state], (isOnce) => {
      timeline.settle(isOnce)
      changeAlarms(operator, everyMs, timeline, state === 'raised' ? 'clear' : 'raised')
    })
  })
}

function deed(name: string, action: number): Deed {
  const body = encodeAlarmRequest({ action, memberId, alarm: alarmType.noSpace })
  return { name, start: (core, done) => core.maintenance.alarm(body, done) }
}

const deeds: Readonly<Record<AlarmState, Deed>> = {
  raised: deed('raise an alarm for space', alarmAction.activate),
  clear: deed('clear the alarm for space', alarmAction.deactivate),
}
