// podFailurePolicy: what the failure of a pod means, by its exit codes and conditions. The first rule that matches decides.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { Job, PodFailurePolicyRule } from '../../resources/workloads/job.ts'

export interface FailureVerdict {
  readonly action: 'Count' | 'Ignore' | 'FailJob' | 'FailIndex'
  readonly message: string
}

const counted: FailureVerdict = { action: 'Count', message: '' }

export function judgeFailure({ spec }: Job, pod: Stored<Pod>): FailureVerdict {
  for (const [position, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchOf(rule, pod)
    if (match === undefined) continue
    const action = rule.action
    if (action !== 'Ignore' && action !== 'FailJob' && action !== 'FailIndex') return counted
    return { action, message: `${match} matching ${action} rule at index ${position}` }
  }
  return counted
}

/** What of the pod matches, for people; undefined: nothing. */
function matchOf(rule: PodFailurePolicyRule, pod: Stored<Pod>): string | undefined {
  const where = `pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name}`
  if (rule.onExitCodes !== undefined) {
    const { containerName, operator, values } = rule.onExitCodes
    const statuses = [
      ...(pod.status.containerStatuses ?? []),
      ...(pod.status.initContainerStatuses ?? []),
    ]
    for (const { name, state } of statuses) {
      const code = state.terminated?.exitCode
      if (code === undefined || code === 0) continue
      if (containerName !== undefined && containerName !== name) continue
      if (values.includes(code) === (operator === 'In'))
        return `Container ${name} for ${where} failed with exit code ${code}`
    }
    return undefined
  }
  const condition = pod.status.conditions?.find(({ type, status }) =>
    rule.onPodConditions?.some((wanted) => wanted.type === type && wanted.status === status),
  )
  return condition === undefined
    ? undefined
    : `${where[0]?.toUpperCase() ?? ''}${where.slice(1)} has condition ${condition.type}`
}
