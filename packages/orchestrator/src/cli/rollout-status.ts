// How far a rollout has come, in kubectl's words: of Deployments, StatefulSets and DaemonSets.
import type { KubeObject, Stored } from '../resources/object.ts'

export interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly paused?: boolean
    readonly template?: unknown
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly partition?: number }
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
    readonly readyReplicas?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
    readonly updatedNumberScheduled?: number
    readonly desiredNumberScheduled?: number
    readonly numberAvailable?: number
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[]
  }
}

export interface RolloutState {
  /** A line. */
  readonly text: string
  readonly isDone: boolean
}

/** By kind. Throws Error where the rollout failed, or its strategy leaves it to somebody else. */
export const rolloutStates: Readonly<Record<string, (workload: Stored<Workload>) => RolloutState>> =
  {
    Deployment: (deployment) => {
      const waiting = deploymentWaits(deployment)
      return waiting === undefined
        ? done(`deployment ${JSON.stringify(deployment.metadata.name)} successfully rolled out`)
        : wait(`Waiting for deployment ${waiting}...`)
    },
    StatefulSet: ({ metadata, spec, status: state = {} }) => {
      if ((spec.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate')
        throw new Error('rollout status is only available for RollingUpdate strategy type')
      const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0 } = state
      if (observedGeneration === 0 || (metadata.generation ?? 0) > observedGeneration)
        return wait('Waiting for statefulset spec update to be observed...')
      const wanted = spec.replicas ?? 1
      if (readyReplicas < wanted)
        return wait(`Waiting for ${wanted - readyReplicas} pods to be ready...`)
      const partition = spec.updateStrategy?.rollingUpdate?.partition
      if (partition !== undefined) {
        const updated = wanted - partition
        return updatedReplicas < updated
          ? wait(
              `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${updated} new pods have been updated...`,
            )
          : done(`partitioned roll out complete: ${updatedReplicas} new pods have been updated...`)
      }
      const { updateRevision = '', currentRevision = '' } = state
      if (updateRevision !== currentRevision)
        return wait(
          `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
        )
      return done(
        `statefulset rolling update complete ${state.replicas ?? 0} pods at revision ${currentRevision}...`,
      )
    },
    DaemonSet: ({ metadata, spec, status: state = {} }) => {
      if ((spec.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate')
        throw new Error('rollout status is only available for RollingUpdate strategy type')
      if ((metadata.generation ?? 0) > (state.observedGeneration ?? 0))
        return wait('Waiting for daemon set spec update to be observed...')
      const name = JSON.stringify(metadata.name)
      const {
        updatedNumberScheduled: updated = 0,
        desiredNumberScheduled: wanted = 0,
        numberAvailable = 0,
      } = state
      const rollout = `Waiting for daemon set ${name} rollout to finish:`
      if (updated < wanted)
        return wait(`${rollout} ${updated} out of ${wanted} new pods have been updated...`)
      if (numberAvailable < wanted)
        return wait(`${rollout} ${numberAvailable} of ${wanted} updated pods are available...`)
      return done(`daemon set ${name} successfully rolled out`)
    },
  }

const wait = (text: string): RolloutState => ({ text: `${text}\n`, isDone: false })
const done = (text: string): RolloutState => ({ text: `${text}\n`, isDone: true })

const deploymentWaits = ({
  metadata,
  spec,
  status: state = {},
}: Stored<Workload>): string | undefined => {
  const name = JSON.stringify(metadata.name)
  if ((state.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return 'spec update to be observed'
  if (state.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded') === true) {
    throw new Error(`deployment ${name} exceeded its progress deadline`)
  }
  const wanted = spec.replicas ?? 1
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = state
  const rollout = `${name} rollout to finish:`
  if (updatedReplicas < wanted) {
    return `${rollout} ${updatedReplicas} out of ${wanted} new replicas have been updated`
  }
  if (replicas > updatedReplicas) {
    return `${rollout} ${replicas - updatedReplicas} old replicas are pending termination`
  }
  return availableReplicas < updatedReplicas
    ? `${rollout} ${availableReplicas} of ${updatedReplicas} updated replicas are available`
    : undefined
}
