// The kinds of the group certificates.k8s.io.
import type { ResourceType } from '../object.ts'

export const certificatesTypes: readonly ResourceType[] = []
