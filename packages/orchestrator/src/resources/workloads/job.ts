// Job: pods that run to their end, until enough of them succeeded.
import { ageColumn, column, nameColumn, wideColumn } from '../columns.ts'
import { ageOf, humanDuration } from '../human-duration.ts'
import type { Cell, Condition, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import { podSpecDefaults } from '../pod-spec/pod-spec-defaults.ts'
import type { PodTemplateSpec } from '../pod-spec/pod-spec.ts'
import { containerImages, containerNames, selectorText } from '../pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { validateJobSpec, validateJobSpecUpdate } from './validate-job.ts'

export interface PodFailurePolicyRule {
  readonly action: string
  readonly onExitCodes?: {
    readonly containerName?: string
    readonly operator: string
    readonly values: readonly number[]
  }
  readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[]
}
export interface SuccessPolicyRule {
  readonly succeededIndexes?: string
  readonly succeededCount?: number
}
export interface JobSpec {
  readonly parallelism?: number
  readonly completions?: number
  readonly activeDeadlineSeconds?: number
  readonly podFailurePolicy?: { readonly rules: readonly PodFailurePolicyRule[] }
  readonly successPolicy?: { readonly rules: readonly SuccessPolicyRule[] }
  readonly backoffLimit?: number
  readonly backoffLimitPerIndex?: number
  readonly maxFailedIndexes?: number
  readonly selector?: LabelSelector
  readonly manualSelector?: boolean
  readonly template: PodTemplateSpec
  readonly ttlSecondsAfterFinished?: number
  readonly completionMode?: string
  readonly suspend?: boolean
  readonly podReplacementPolicy?: string
  readonly managedBy?: string
}
export interface JobStatus {
  readonly conditions?: readonly Condition[]
  readonly startTime?: string
  readonly completionTime?: string
  readonly active?: number
  readonly succeeded?: number
  readonly failed?: number
  readonly terminating?: number
  readonly completedIndexes?: string
  readonly failedIndexes?: string
  readonly uncountedTerminatedPods?: {
    readonly succeeded?: readonly string[]
    readonly failed?: readonly string[]
  }
  readonly ready?: number
}
export interface Job extends KubeObject {
  readonly spec: JobSpec
  readonly status: JobStatus
}
export interface JobTemplateSpec {
  readonly metadata?: KubeObject['metadata']
  readonly spec: JobSpec
}

const backoffLimitDefault = 6
/** No limit over all indexes when each has its own. */
const backoffLimitNone = 2_147_483_647

export const jobType: ResourceType<Job> = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  singular: 'job',
  shortNames: [],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: ({ spec, ...object }) => ({ ...object, spec: jobSpecDefaults(spec) }),
  prepareForCreate: (object) => withSelector({ ...withFirstGeneration(object), status: {} }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateJobSpec(object.spec, 'spec'),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateJobSpecUpdate(object, old),
  ],
  columns: [
    nameColumn,
    column('Status', 'Whether it runs, waits or how it ended.'),
    column('Completions', 'The pods that succeeded, of those wanted.'),
    column('Duration', 'How long it took, or has been running.'),
    ageColumn,
    wideColumn('Containers', 'Names of the containers in the template.'),
    wideColumn('Images', 'Images of the containers in the template.'),
    wideColumn('Selector', 'The labels of the pods counted.'),
  ],
  cells: jobCells,
  selectableFields: ({ status }) => ({ 'status.successful': String(status.succeeded ?? 0) }),
}

export function jobSpecDefaults(spec: JobSpec): JobSpec {
  const isUncounted = spec.completions === undefined && spec.parallelism === undefined
  const filled: JobSpec = {
    ...(isUncounted ? { completions: 1 } : {}),
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? backoffLimitDefault : backoffLimitNone,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
    ...spec,
    template: { ...spec.template, spec: podSpecDefaults(spec.template.spec) },
  }
  if (filled.podFailurePolicy === undefined) return filled
  const rules = filled.podFailurePolicy.rules.map((rule) => ({
    ...rule,
    ...(rule.onPodConditions === undefined
      ? {}
      : {
          onPodConditions: rule.onPodConditions.map(({ type, status }) => ({
            type,
            status: status === '' ? 'True' : status,
          })),
        }),
  }))
  return { ...filled, podFailurePolicy: { rules } }
}

/** Marks the pods of this very Job, so that no other of the same name counts them. Old clients look for the labels without a prefix. */
function withSelector(object: Job): Job {
  const { metadata, spec } = object
  if (spec.manualSelector === true || metadata.uid === undefined) return object
  const { uid, name } = metadata
  const { template } = spec
  const labels = {
    ...template.metadata?.labels,
    'batch.kubernetes.io/controller-uid': uid,
    'controller-uid': uid,
    ...(name === undefined ? {} : { 'batch.kubernetes.io/job-name': name, 'job-name': name }),
  }
  return {
    ...object,
    spec: {
      ...spec,
      selector: {
        ...spec.selector,
        matchLabels: {
          ...spec.selector?.matchLabels,
          'batch.kubernetes.io/controller-uid': uid,
        },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

export const jobCondition = ({ status }: Job, type: string): Condition | undefined =>
  status.conditions?.find((condition) => condition.type === type && condition.status === 'True')

export const isJobFinished = (job: Job): boolean =>
  jobCondition(job, 'Complete') !== undefined || jobCondition(job, 'Failed') !== undefined

function jobCells(object: Job, now: number): readonly Cell[] {
  const { metadata, spec, status } = object
  return [
    metadata.name ?? '',
    jobState(object),
    completionsText(spec, status),
    durationText(status, now),
    ageOf(metadata.creationTimestamp, now),
    containerNames(spec.template.spec),
    containerImages(spec.template.spec),
    selectorText(spec.selector),
  ]
}

function jobState(job: Job): string {
  const types = ['Complete', 'Failed', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet']
  if (jobCondition(job, 'Complete') === undefined && jobCondition(job, 'Failed') === undefined) {
    if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  }
  return types.find((type) => jobCondition(job, type) !== undefined) ?? 'Running'
}

const completionsText = ({ completions, parallelism = 1 }: JobSpec, status: JobStatus): string => {
  const succeeded = status.succeeded ?? 0
  if (completions !== undefined) return `${succeeded}/${completions}`
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

const durationText = (
  { startTime, completionTime, conditions }: JobStatus,
  now: number,
): string => {
  if (startTime === undefined) return ''
  const failed = conditions?.find(({ type, status }) => type === 'Failed' && status === 'True')
  const end = completionTime ?? failed?.lastTransitionTime
  return humanDuration((end === undefined ? now : Date.parse(end)) - Date.parse(startTime))
}
