// The kinds of the group policy.
import type { ResourceType } from '../object.ts'
import { podDisruptionBudgetType } from '../workloads/pod-disruption-budget.ts'

export const policyTypes: readonly ResourceType[] = [podDisruptionBudgetType]
