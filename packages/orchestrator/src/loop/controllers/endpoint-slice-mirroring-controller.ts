// Which Services and slices concern which Endpoints written by hand.
import { keyOf } from '../../client/object-cache.ts'
import { managedByLabel, serviceNameLabel } from '../../controllers/endpoint-slices.ts'
import { mirroredBy, reconcileMirroring } from '../../controllers/endpoint-slice-mirroring.ts'
import { type EndpointSlice, endpointSliceType } from '../../resources/endpoint-slice.ts'
import { endpointsType } from '../../resources/endpoints.ts'
import type { Stored } from '../../resources/object.ts'
import { serviceType } from '../../resources/service.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

const endpointsKeys = ({ metadata }: Stored<EndpointSlice>): string[] => {
  const name = metadata.labels?.[serviceNameLabel]
  return name === undefined || metadata.labels?.[managedByLabel] !== mirroredBy
    ? []
    : [keyOf(metadata.namespace, name)]
}

export const endpointSliceMirroringController: Controller = {
  name: 'endpointslicemirroring-controller',
  connect: ({ informers }) => {
    const services = informers.of(serviceType)
    const all = informers.of(endpointsType)
    const slices = informers.of(endpointSliceType)
    slices.addIndex('mirrored', endpointsKeys)
    return {
      watches: [watchOf(services, ownKey), watchOf(all, ownKey), watchOf(slices, endpointsKeys)],
      reconcile: (key) =>
        reconcileMirroring({
          service: services.get(key),
          endpoints: all.get(key),
          slices: slices.find('mirrored', key),
        }),
    }
  },
}
