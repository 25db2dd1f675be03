// The kinds of the group coordination.k8s.io.
import { leaseType } from '../lease.ts'
import type { ResourceType } from '../object.ts'

export const coordinationTypes: readonly ResourceType[] = [leaseType]
