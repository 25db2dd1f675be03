// The kinds of the group admissionregistration.k8s.io.
import type { ResourceType } from '../object.ts'

export const admissionregistrationTypes: readonly ResourceType[] = []
