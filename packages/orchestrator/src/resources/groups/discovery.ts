// The kinds of the group discovery.k8s.io.
import { endpointSliceType } from '../endpoint-slice.ts'
import type { ResourceType } from '../object.ts'

export const discoveryTypes: readonly ResourceType[] = [endpointSliceType]
