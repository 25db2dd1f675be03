// Namespace deletion over every namespaced kind that the server knows.
import { nothing } from '../../controllers/action.ts'
import { reconcileNamespace } from '../../controllers/namespace.ts'
import { namespaceType } from '../../resources/namespace.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

/** Emptying a namespace waits for pods to end: look again soon. */
const backOff = { firstMs: 50, maxMs: 2000 }

export const namespaceController: Controller = {
  name: 'namespace-controller',
  connect: ({ informers, kinds }) => {
    const all = informers.of(namespaceType)
    return {
      backOff,
      watches: [watchOf(all, ownKey)],
      reconcile: (key) => {
        const namespace = all.get(key)
        if (namespace?.metadata.deletionTimestamp === undefined) return nothing
        const refs = kinds
          .list()
          .filter(
            ({ namespaced, verbs }) =>
              namespaced && verbs.includes('list') && verbs.includes('delete'),
          )
        return reconcileNamespace(namespace, refs)
      },
    }
  },
}
