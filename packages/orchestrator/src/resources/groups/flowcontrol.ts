// The kinds of the group flowcontrol.apiserver.k8s.io.
import type { ResourceType } from '../object.ts'

export const flowcontrolTypes: readonly ResourceType[] = []
