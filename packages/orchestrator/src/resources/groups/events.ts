// The kinds of the group events.k8s.io.
import type { ResourceType } from '../object.ts'

export const eventsTypes: readonly ResourceType[] = []
