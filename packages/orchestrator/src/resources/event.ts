// Event: something that happened to an object, for people to read. The store forgets events after an hour.
import { column, nameColumn, wideColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { Cell, KubeObject, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import { validateEvent } from './validation/validate-event.ts'
import { validateMetadata } from './validation/validate-metadata.ts'

export interface ObjectReference {
  readonly apiVersion?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly fieldPath?: string
}
export interface Event extends KubeObject {
  readonly involvedObject: ObjectReference
  readonly reason?: string
  readonly message?: string
  readonly source?: { readonly component?: string; readonly host?: string }
  readonly firstTimestamp?: string | null
  readonly lastTimestamp?: string | null
  readonly count?: number
  /** `Normal` or `Warning`. */
  readonly type?: string
  readonly eventTime?: string | null
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string }
  readonly action?: string
  readonly related?: ObjectReference
  readonly reportingComponent?: string
  readonly reportingInstance?: string
}

/** How long the store keeps an event. */
export const eventTtlSeconds = 3600

export const eventType: ResourceType<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateEvent(object),
  ],
  columns: [
    column('Last Seen', 'When it happened last.'),
    column('Type', 'Normal or Warning.'),
    column('Reason', 'Why, in one word.'),
    column('Object', 'What it happened to.'),
    wideColumn('Subobject', 'The part of the object.'),
    wideColumn('Source', 'Who reported it.'),
    column('Message', 'What happened.'),
    wideColumn('First Seen', 'When it happened first.'),
    wideColumn('Count', 'How often it happened.'),
    { ...nameColumn, priority: 1 },
  ],
  cells: eventCells,
  selectableFields: (object) => ({
    'involvedObject.kind': object.involvedObject.kind ?? '',
    'involvedObject.namespace': object.involvedObject.namespace ?? '',
    'involvedObject.name': object.involvedObject.name ?? '',
    'involvedObject.uid': object.involvedObject.uid ?? '',
    'involvedObject.apiVersion': object.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': object.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': object.involvedObject.fieldPath ?? '',
    reason: object.reason ?? '',
    reportingComponent: object.reportingComponent ?? '',
    source: object.source?.component ?? object.reportingComponent ?? '',
    type: object.type ?? '',
  }),
}

function eventCells(event: Event, now: number): readonly Cell[] {
  const first = event.firstTimestamp ?? event.eventTime
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime
  const { involvedObject, source } = event
  const component = source?.component ?? event.reportingComponent ?? ''
  const host = source?.host ?? event.reportingInstance ?? ''
  return [
    ageOf(last, now),
    event.type ?? '',
    event.reason ?? '',
    objectText(involvedObject),
    involvedObject.fieldPath ?? '',
    host === '' ? component : `${component}, ${host}`,
    (event.message ?? '').trim(),
    ageOf(first, now),
    event.series?.count ?? (event.count === undefined || event.count === 0 ? 1 : event.count),
    event.metadata.name ?? '',
  ]
}

const objectText = (reference: ObjectReference): string => {
  const kind = (reference.kind ?? '').toLowerCase()
  return reference.name === undefined || reference.name === '' ? kind : `${kind}/${reference.name}`
}
