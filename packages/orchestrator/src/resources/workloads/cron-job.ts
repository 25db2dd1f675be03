// CronJob: makes a Job at every time of a schedule.
import { ageColumn, column, nameColumn, orNone, wideColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import { containerImages, containerNames, selectorText } from '../pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid, notNegative, notSupported, required } from '../validation/field-error.ts'
import {
  validateAnnotations,
  validateLabels,
  validateMetadata,
  validateMetadataUpdate,
} from '../validation/validate-metadata.ts'
import { parseCronSchedule } from './cron-schedule.ts'
import { jobSpecDefaults, type JobTemplateSpec } from './job.ts'
import { isTimeZone } from './time-zone.ts'
import { validateJobSpec } from './validate-job.ts'

export interface CronJobSpec {
  readonly schedule: string
  readonly timeZone?: string
  readonly startingDeadlineSeconds?: number
  readonly concurrencyPolicy?: string
  readonly suspend?: boolean
  readonly jobTemplate: JobTemplateSpec
  readonly successfulJobsHistoryLimit?: number
  readonly failedJobsHistoryLimit?: number
}
export interface JobReference {
  readonly apiVersion?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly resourceVersion?: string
}
export interface CronJobStatus {
  readonly active?: readonly JobReference[]
  readonly lastScheduleTime?: string
  readonly lastSuccessfulTime?: string
}
export interface CronJob extends KubeObject {
  readonly spec: CronJobSpec
  readonly status: CronJobStatus
}

/** Jobs are named after it, with 11 characters more. */
const nameLengthMax = 52
const policies: readonly string[] = ['Allow', 'Forbid', 'Replace']

export const cronJobType: ResourceType<CronJob> = {
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: ({ spec, ...object }) => ({
    ...object,
    spec: {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      ...spec,
      jobTemplate: { ...spec.jobTemplate, spec: templateDefaults(spec.jobTemplate) },
    },
  }),
  prepareForCreate: (object) => ({ ...withFirstGeneration(object), status: {} }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...((object.metadata.name ?? '').length > nameLengthMax
      ? [
          invalid(
            'metadata.name',
            object.metadata.name,
            `must be no more than ${nameLengthMax} characters`,
          ),
        ]
      : []),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Schedule', 'When Jobs are made.'),
    column('Timezone', 'Whose clocks the schedule means.'),
    column('Suspend', 'Whether no Jobs are made for now.', 'boolean'),
    column('Active', 'The number of Jobs that run.', 'integer'),
    column('Last Schedule', 'How long ago the last Job was made.'),
    ageColumn,
    wideColumn('Containers', 'Names of the containers in the template.'),
    wideColumn('Images', 'Images of the containers in the template.'),
    wideColumn('Selector', 'The labels of the pods counted.'),
  ],
  cells: ({ metadata, spec, status }, now) => {
    const pod = spec.jobTemplate.spec.template.spec
    return [
      metadata.name ?? '',
      spec.schedule,
      orNone(spec.timeZone),
      spec.suspend === true ? 'True' : 'False',
      status.active?.length ?? 0,
      status.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, now),
      ageOf(metadata.creationTimestamp, now),
      containerNames(pod),
      containerImages(pod),
      selectorText(spec.jobTemplate.spec.selector),
    ]
  },
}

/** What a Job gets when it is made is not written into the template. */
const templateDefaults = ({ spec }: JobTemplateSpec): JobTemplateSpec['spec'] => ({
  ...spec,
  template: jobSpecDefaults(spec).template,
})

const validateSpec = (spec: CronJobSpec): FieldError[] => {
  const { metadata } = spec.jobTemplate
  return [
    ...validateSchedule(spec),
    ...notNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...(policies.includes(spec.concurrencyPolicy ?? '')
      ? []
      : [notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy, policies)]),
    ...validateLabels('spec.jobTemplate.labels', metadata?.labels),
    ...validateAnnotations('spec.jobTemplate.annotations', metadata?.annotations),
    ...validateJobSpec(spec.jobTemplate.spec, 'spec.jobTemplate.spec'),
    ...(spec.jobTemplate.spec.manualSelector === true
      ? [notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false'])]
      : []),
    ...notNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...notNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ]
}

function validateSchedule({ schedule, timeZone }: CronJobSpec): FieldError[] {
  const path = 'spec.schedule'
  if (schedule === '') return [required(path)]
  if (schedule.includes('TZ'))
    return [
      invalid(path, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
    ]
  const { error } = parseCronSchedule(schedule)
  return [
    ...(error === undefined ? [] : [invalid(path, schedule, error)]),
    ...(timeZone === undefined ? [] : validateTimeZone(timeZone)),
  ]
}

const validateTimeZone = (timeZone: string): FieldError[] => {
  const path = 'spec.timeZone'
  if (timeZone === '') return [invalid(path, timeZone, 'timeZone must be nil or non-empty string')]
  if (timeZone.toLowerCase() === 'local')
    return [
      invalid(
        path,
        timeZone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    ]
  return isTimeZone(timeZone) ? [] : [invalid(path, timeZone, `unknown time zone ${timeZone}`)]
}
