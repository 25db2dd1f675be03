// Which pods, slices and nodes concern which Service's EndpointSlices.
import { keyOf, objectKey, splitKey } from '../../client/object-cache.ts'
import {
  managedBy,
  managedByLabel,
  reconcileEndpointSlices,
  serviceNameLabel,
  zoneOf,
} from '../../controllers/endpoint-slices.ts'
import { type EndpointSlice, endpointSliceType } from '../../resources/endpoint-slice.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import { nodeType } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { serviceType } from '../../resources/service.ts'
import { watchChanges, watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

/** Slices of this controller, by their Service. */
const serviceKeys = ({ metadata }: Stored<EndpointSlice>): string[] => {
  const name = metadata.labels?.[serviceNameLabel]
  return name === undefined || metadata.labels?.[managedByLabel] !== managedBy
    ? []
    : [keyOf(metadata.namespace, name)]
}

export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  connect: ({ informers }) => {
    const services = informers.of(serviceType)
    const slices = informers.of(endpointSliceType)
    const pods = informers.of(podType)
    const nodes = informers.of(nodeType)
    slices.addIndex('service', serviceKeys)
    pods.addIndex('node', (pod) => [pod.spec.nodeName ?? ''])
    const servicesOf = (pod: Stored<Pod>): string[] =>
      services
        .find('namespace', pod.metadata.namespace ?? '')
        .filter(({ spec }) => {
          const matchLabels = spec.selector ?? {}
          const isSelecting = Object.keys(matchLabels).length > 0
          return isSelecting && matchesSelector({ matchLabels }, pod.metadata.labels)
        })
        .map(objectKey)
    return {
      watches: [
        watchOf(services, ownKey),
        watchOf(slices, serviceKeys),
        watchOf(pods, servicesOf),
        // Endpoints tell the zone of their node, which may be known later than the pod.
        watchChanges(nodes, (current, previous) =>
          zoneOf(current) === zoneOf(previous)
            ? []
            : pods.find('node', (current ?? previous)?.metadata.name ?? '').flatMap(servicesOf),
        ),
      ],
      reconcile: (key) => {
        const { namespace = '' } = splitKey(key)
        return reconcileEndpointSlices({
          service: services.get(key),
          slices: slices.find('service', key),
          pods: pods.find('namespace', namespace),
          nodeOf: (name) => nodes.get(name),
        })
      },
    }
  },
}
