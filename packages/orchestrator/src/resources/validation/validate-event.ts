// What is checked of Events: the old rules for all of them, and those of events.k8s.io/v1 for what is written through that version, where
// nothing but the series of an event changes once it is there.
import type { Event } from '../event.ts'
import { jsonEqual } from '../json-equal.ts'
import { qualifiedNameProblems } from '../names.ts'
import type { FieldError, Json } from '../object.ts'
import { invalid, invalidEach, required } from './field-error.ts'

const lengthMax = 128
const noteLengthMax = 1024
const immutable = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const

/** Events that say their time, as newer recorders do, must also say who reports what. */
export const validateEvent = (event: Event): FieldError[] => {
  if (!isSet(event.eventTime)) return validateInvolvedNamespace(event, ['default'])
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '' } = event
  const errors = isSet(event.involvedObject.namespace)
    ? []
    : validateInvolvedNamespace(event, ['default', 'kube-system'])
  if (reportingComponent === '') errors.push(required('reportingController'))
  const problems = qualifiedNameProblems(reportingComponent)
  errors.push(...invalidEach('reportingController', reportingComponent, problems))
  const limited = { reportingInstance, action, reason }
  for (const [field, value] of Object.entries(limited)) {
    if (value === '') errors.push(required(field))
    if (value.length > lengthMax) {
      errors.push(invalid(field, '', `can have at most ${lengthMax} characters`))
    }
  }
  if ((event.message ?? '').length > noteLengthMax) {
    errors.push(invalid('message', '', `can have at most ${noteLengthMax} characters`))
  }
  return errors
}

/** What events.k8s.io/v1 asks for besides. `old` undefined: it is new. */
export const validateNewEvent = (event: Event, old: Event | undefined): FieldError[] =>
  old === undefined ? createErrors(event) : updateErrors(event, old)

const createErrors = (event: Event): FieldError[] => {
  const { type = '', source = {}, series } = event
  const errors = validateSeries(series)
  if (!isSet(event.eventTime)) errors.push(required('eventTime'))
  if (type !== 'Normal' && type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${type}`))
  }
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const) {
    if (isSet(event[field])) errors.push(invalid(field, '', 'needs to be unset'))
  }
  if (isSet(source.component) || isSet(source.host)) {
    errors.push(invalid('source', '', 'needs to be unset'))
  }
  return errors
}

const updateErrors = (event: Event, old: Event): FieldError[] => {
  const values = (one: Event): Readonly<Record<string, Json | undefined>> =>
    one as unknown as Readonly<Record<string, Json | undefined>>
  const changed = immutable.filter((field) => !isSame(values(event)[field], values(old)[field]))
  const isSeriesSame = jsonEqual(event.series ?? null, old.series ?? null)
  return [
    ...(isSeriesSame ? [] : validateSeries(event.series)),
    ...changed.map((field) => {
      const name = field === 'reportingComponent' ? 'reportingController' : field
      return invalid(name, values(event)[field] ?? '', 'field is immutable')
    }),
  ]
}

const validateSeries = (series: Event['series']): FieldError[] => {
  if (series === undefined) return []
  const errors: FieldError[] = []
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'))
  if (!isSet(series.lastObservedTime)) errors.push(required('series.lastObservedTime'))
  return errors
}

/** Events beside their object; those of objects without a namespace in one of `free`. */
const validateInvolvedNamespace = (
  { involvedObject: { namespace = '' }, metadata }: Event,
  free: readonly string[],
): FieldError[] => {
  const own = metadata.namespace
  const isFit = own === undefined || (namespace === '' ? free.includes(own) : namespace === own)
  return isFit
    ? []
    : [invalid('involvedObject.namespace', namespace, 'does not match event.namespace')]
}

const isSet = (value: string | number | null | undefined): boolean =>
  value !== undefined && value !== null && value !== '' && value !== 0

/** Times may be written with more or fewer digits. */
const isSame = (left: Json | undefined, right: Json | undefined): boolean => {
  const [a, b] = [left, right].map((value) => (isEmpty(value) ? null : (value ?? null)))
  if (jsonEqual(a ?? null, b ?? null)) return true
  return (
    typeof a === 'string' && typeof b === 'string' && isTime(a) && Date.parse(a) === Date.parse(b)
  )
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT/.test(text)

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined ||
  value === '' ||
  value === 0 ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
