// The kinds of the group events.k8s.io.
import type { ResourceType } from '../object.ts'
import { newEventTypes } from '../versions/new-event.ts'

export const eventsTypes: readonly ResourceType[] = newEventTypes
