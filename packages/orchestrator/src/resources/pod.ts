// Pod: containers that run together on one node. Its spec is all but immutable; its agent writes the status.
import { ageColumn, column, nameColumn, orNone, wideColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { Cell, Condition, KubeObject, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { defaultGracePeriodSeconds, podSpecDefaults } from './pod-spec/pod-spec-defaults.ts'
import type { PodSpec, ResourceList, ResourceRequirements } from './pod-spec/pod-spec.ts'
import { qosClass } from './pod-spec/qos-class.ts'
import { validatePodSpec } from './pod-spec/validate-pod-spec.ts'
import { validatePodUpdate } from './pod-spec/validate-pod-update.ts'
import { podSummary } from './pod-summary.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from './update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface ContainerStateWaiting {
  readonly reason?: string
  readonly message?: string
}
export interface ContainerStateRunning {
  readonly startedAt?: string
}
export interface ContainerStateTerminated {
  readonly exitCode: number
  readonly signal?: number
  readonly reason?: string
  readonly message?: string
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly containerID?: string
}
/** At most one is set; none means waiting. */
export interface ContainerState {
  readonly waiting?: ContainerStateWaiting
  readonly running?: ContainerStateRunning
  readonly terminated?: ContainerStateTerminated
}
export interface ContainerStatus {
  readonly name: string
  readonly state: ContainerState
  /** How it ended the last time it ran. */
  readonly lastState: ContainerState
  readonly ready: boolean
  readonly restartCount: number
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly started?: boolean
  /** What its node has set aside for it. */
  readonly allocatedResources?: ResourceList
  /** What it runs with. */
  readonly resources?: ResourceRequirements
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
export interface PodStatus {
  readonly phase?: PodPhase
  readonly conditions?: readonly Condition[]
  readonly message?: string
  readonly reason?: string
  readonly hostIP?: string
  readonly hostIPs?: readonly { readonly ip: string }[]
  readonly podIP?: string
  readonly podIPs?: readonly { readonly ip: string }[]
  readonly startTime?: string
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[]
  readonly qosClass?: string
  readonly nominatedNodeName?: string
  readonly observedGeneration?: number
}
export interface Pod extends KubeObject {
  readonly spec: PodSpec
  readonly status: PodStatus
}

export const podType: ResourceType<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: podDefaults,
  prepareForCreate: (object) => ({
    ...withFirstGeneration(object),
    status: { phase: 'Pending', qosClass: qosClass(object.spec), ...gatedConditions(object.spec) },
  }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validatePodSpec(object.spec, 'spec'),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validatePodUpdate(object.spec, old.spec),
  ],
  columns: [
    nameColumn,
    column('Ready', 'The containers that are ready, of all.'),
    column('Status', 'The state of the containers, summed up.'),
    column('Restarts', 'How often the containers were restarted, and when last.'),
    ageColumn,
    wideColumn('IP', 'The address of the pod.'),
    wideColumn('Node', 'The node the pod runs on.'),
    wideColumn('Nominated Node', 'The node that is being cleared for the pod.'),
    wideColumn('Readiness Gates', 'The extra conditions that are met, of all.'),
  ],
  cells: podCells,
  selectableFields: (object) => ({
    'spec.nodeName': object.spec.nodeName ?? '',
    'spec.restartPolicy': object.spec.restartPolicy ?? '',
    'spec.schedulerName': object.spec.schedulerName ?? '',
    'spec.serviceAccountName': object.spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(object.spec.hostNetwork === true),
    'status.phase': object.status.phase ?? '',
    'status.podIP': object.status.podIP ?? '',
    'status.nominatedNodeName': object.status.nominatedNodeName ?? '',
  }),
  gracePeriodSeconds: podGracePeriodSeconds,
}

/** A pod behind gates says so from the start. */
const gatedConditions = ({ schedulingGates = [] }: PodSpec): Pick<PodStatus, 'conditions'> =>
  schedulingGates.length === 0
    ? {}
    : {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'SchedulingGated',
            message: 'Scheduling is blocked due to non-empty scheduling gates',
          },
        ],
      }

function podDefaults(pod: Pod): Pod {
  const spec = podSpecDefaults(pod.spec)
  return {
    ...pod,
    spec: {
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
      ...spec,
    },
  }
}

/** 0: at once, as a pod goes that no agent looks after, or that has ended. */
function podGracePeriodSeconds(pod: Pod, requested: number | undefined): number {
  const { phase } = pod.status
  if ((pod.spec.nodeName ?? '') === '' || phase === 'Succeeded' || phase === 'Failed') {
    return 0
  }
  const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? defaultGracePeriodSeconds
  return period < 0 ? 1 : period
}

function podCells(pod: Pod, now: number): readonly Cell[] {
  const { spec, status } = pod
  const summary = podSummary(pod, now)
  return [
    pod.metadata.name ?? '',
    summary.ready,
    summary.status,
    summary.restarts,
    ageOf(pod.metadata.creationTimestamp, now),
    orNone(status.podIPs?.[0]?.ip ?? status.podIP),
    orNone(spec.nodeName),
    orNone(status.nominatedNodeName),
    readinessGatesText(pod),
  ]
}

const readinessGatesText = (pod: Pod): string => {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const met = gates.filter((gate) =>
    pod.status.conditions?.some(
      (condition) => condition.type === gate.conditionType && condition.status === 'True',
    ),
  )
  return `${met.length}/${gates.length}`
}
