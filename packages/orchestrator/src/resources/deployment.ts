// Deployment: declares pods and how one version of them gives way to the next; it works through ReplicaSets.
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import { jsonEqual } from './json-equal.ts'
import type { Cell, Condition, KubeObject, LabelSelector, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { podSpecDefaults } from './pod-spec/pod-spec-defaults.ts'
import type { IntOrString, PodTemplateSpec } from './pod-spec/pod-spec.ts'
import { containerImages, containerNames, selectorText } from './pod-spec/template-cells.ts'
import { allVerbs, keepStatus, withFirstGeneration, withGeneration } from './update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'
import { validateDeploymentSpec, validateSelectorUpdate } from './validation/validate-workload.ts'
import { replicasScale } from './workloads/replicas-scale.ts'

export interface DeploymentStrategy {
  readonly type?: string
  readonly rollingUpdate?: {
    readonly maxUnavailable?: IntOrString
    readonly maxSurge?: IntOrString
  }
}
export interface DeploymentSpec {
  readonly replicas?: number
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
  readonly strategy: DeploymentStrategy
  readonly minReadySeconds?: number
  readonly revisionHistoryLimit?: number
  readonly paused?: boolean
  readonly progressDeadlineSeconds?: number
}
export interface DeploymentStatus {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly unavailableReplicas?: number
  readonly conditions?: readonly Condition[]
  readonly collisionCount?: number
}
export interface Deployment extends KubeObject {
  readonly spec: DeploymentSpec
  readonly status: DeploymentStatus
}

export const deploymentType: ResourceType<Deployment> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: {
    status: true,
    scale: replicasScale(({ spec }) => spec.selector),
  },
  defaults: deploymentDefaults,
  prepareForCreate: (object) => ({ ...withFirstGeneration(object), status: {} }),
  prepareForUpdate: prepareDeploymentUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateDeploymentSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateSelectorUpdate(object.spec.selector, old.spec.selector),
  ],
  columns: [
    nameColumn,
    column('Ready', 'The pods that are ready, of those wanted.'),
    column('Up-to-date', 'The number of pods of the newest template.'),
    column('Available', 'The number of pods ready for long enough.'),
    ageColumn,
    wideColumn('Containers', 'Names of the containers in the template.'),
    wideColumn('Images', 'Images of the containers in the template.'),
    wideColumn('Selector', 'The labels of the pods counted.'),
  ],
  cells: deploymentCells,
}

function deploymentDefaults({ spec, ...object }: Deployment): Deployment {
  return {
    ...object,
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
      strategy: strategyDefaults(spec.strategy),
      template: { ...spec.template, spec: podSpecDefaults(spec.template.spec) },
    },
  }
}

function strategyDefaults(strategy: DeploymentStrategy): DeploymentStrategy {
  const type = strategy.type ?? 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  return {
    ...strategy,
    type,
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%', ...strategy.rollingUpdate },
  }
}

/** Says which ReplicaSet revision is the newest; the controller writes it, so it is no wish of anybody. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision'

/** As upstream, a change of annotations is a new generation too, but for the one that the controller writes. */
function prepareDeploymentUpdate(object: Deployment, old: Deployment): Deployment {
  const changed =
    !jsonEqual(object.spec, old.spec) ||
    !jsonEqual(wishedAnnotations(object), wishedAnnotations(old))
  return withGeneration(keepStatus(object, old), old, changed)
}

const wishedAnnotations = ({ metadata }: Deployment): Readonly<Record<string, string>> => {
  const { [revisionAnnotation]: _written, ...wished } = metadata.annotations ?? {}
  return wished
}

function deploymentCells(object: Deployment, now: number): readonly Cell[] {
  const { spec, status } = object
  return [
    object.metadata.name ?? '',
    `${status.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    status.updatedReplicas ?? 0,
    status.availableReplicas ?? 0,
    ageOf(object.metadata.creationTimestamp, now),
    containerNames(spec.template.spec),
    containerImages(spec.template.spec),
    selectorText(spec.selector),
  ]
}
