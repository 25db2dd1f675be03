// The kinds of the group apiregistration.k8s.io.
import { apiServiceType } from '../aggregation/api-service.ts'
import type { ResourceType } from '../object.ts'

export const apiregistrationTypes: readonly ResourceType[] = [apiServiceType]
