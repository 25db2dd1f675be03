// Event as events.k8s.io shows it: the same events as those of the core group under other names of fields.
import { eventType } from '../event.ts'
import type { Event, ObjectReference } from '../event.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import { servedAs } from '../served-version.ts'
import { validateNewEvent } from '../validation/validate-event.ts'

interface NewEvent extends KubeObject {
  readonly eventTime?: string | null
  readonly series?: Event['series']
  readonly reportingController?: string
  readonly reportingInstance?: string
  readonly action?: string
  readonly reason?: string
  readonly regarding?: ObjectReference
  readonly related?: ObjectReference
  readonly note?: string
  readonly type?: string
  readonly deprecatedSource?: Event['source']
  readonly deprecatedFirstTimestamp?: string | null
  readonly deprecatedLastTimestamp?: string | null
  readonly deprecatedCount?: number
}

/** Names of fields there and here; those that are the same in both are not listed. */
const renamed: readonly (readonly [keyof NewEvent, keyof Event])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]
const toCore = new Map<string, string>(renamed)
const fromCore = new Map<string, string>(renamed.map(([there, here]) => [here, there]))

const withNames = (object: KubeObject, names: ReadonlyMap<string, string>): KubeObject =>
  // The values stay what they are; only their names differ between the two kinds.
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]),
  ) as unknown as KubeObject

const toStorage = (object: KubeObject): KubeObject => {
  const named = withNames(object, toCore)
  return 'involvedObject' in named ? named : Object.assign({ involvedObject: {} }, named)
}
const fromStorage = (object: KubeObject): KubeObject => withNames(object, fromCore)

const served = { group: 'events.k8s.io', toStorage, fromStorage }

export const newEventTypes: readonly ResourceType[] = [
  {
    ...servedAs(eventType, { ...served, version: 'v1' }),
    validateServed: (object, old) =>
      validateNewEvent(object as Event, old === undefined ? undefined : (old as Event)),
  },
  servedAs(eventType, { ...served, version: 'v1beta1' }),
]
