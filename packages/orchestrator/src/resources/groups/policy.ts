// The kinds of the group policy.
import type { ResourceType } from '../object.ts'

export const policyTypes: readonly ResourceType[] = []
