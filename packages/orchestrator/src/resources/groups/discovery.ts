// The kinds of the group discovery.k8s.io.
import { endpointSliceType } from '../endpoint-slice.ts'
import type { ResourceType } from '../object.ts'
import { betaEndpointSliceType } from '../versions/beta-endpoint-slice.ts'

export const discoveryTypes: readonly ResourceType[] = [endpointSliceType, betaEndpointSliceType]
