// Which pods concern which Service's Endpoints.
import { objectKey, splitKey } from '../../client/object-cache.ts'
import { reconcileEndpoints } from '../../controllers/endpoints.ts'
import { endpointsType } from '../../resources/endpoints.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { serviceType } from '../../resources/service.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

export const endpointsController: Controller = {
  name: 'endpoint-controller',
  connect: ({ informers }) => {
    const services = informers.of(serviceType)
    const all = informers.of(endpointsType)
    const pods = informers.of(podType)
    const servicesOf = (pod: Stored<Pod>): string[] =>
      services
        .find('namespace', pod.metadata.namespace ?? '')
        // One without a selector concerns no pod: its addresses are written by hand.
        .filter(({ spec: { selector = {} } }) => {
          const isSelecting = Object.keys(selector).length > 0
          return isSelecting && matchesSelector({ matchLabels: selector }, pod.metadata.labels)
        })
        .map(objectKey)
    return {
      watches: [watchOf(services, ownKey), watchOf(all, ownKey), watchOf(pods, servicesOf)],
      reconcile: (key) => {
        const { namespace = '', name } = splitKey(key)
        return reconcileEndpoints({
          key: { namespace, name },
          service: services.get(key),
          endpoints: all.get(key),
          pods: pods.find('namespace', namespace),
        })
      },
    }
  },
}
