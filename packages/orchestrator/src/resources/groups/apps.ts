// The kinds of the group apps.
import { deploymentType } from '../deployment.ts'
import type { ResourceType } from '../object.ts'
import { replicaSetType } from '../replica-set.ts'

export const appsTypes: readonly ResourceType[] = [deploymentType, replicaSetType]
