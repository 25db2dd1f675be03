// The kinds of the group apiregistration.k8s.io.
import type { ResourceType } from '../object.ts'

export const apiregistrationTypes: readonly ResourceType[] = []
