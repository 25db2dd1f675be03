// Namespace deletion over every namespaced kind that the server knows.
import { nothing } from '../../controllers/action.ts'
import { reconcileNamespace } from '../../controllers/namespace.ts'
import { resourceTypes } from '../../resources/index.ts'
import { namespaceType } from '../../resources/namespace.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

/** Emptying a namespace waits for pods to end: look again soon. */
const backOff = { firstMs: 50, maxMs: 2000 }

export const namespaceController: Controller = {
  name: 'namespace-controller',
  connect: ({ informers }) => {
    const all = informers.of(namespaceType)
    const refs = resourceTypes.filter(
      ({ namespaced, storage, verbs }) =>
        namespaced && storage === undefined && verbs.includes('list') && verbs.includes('delete'),
    )
    return {
      backOff,
      watches: [watchOf(all, ownKey)],
      reconcile: (key) => {
        const namespace = all.get(key)
        return namespace === undefined ? nothing : reconcileNamespace(namespace, refs)
      },
    }
  },
}
