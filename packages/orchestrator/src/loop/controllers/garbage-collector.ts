// The garbage collector watches everything that can own or be owned.
import { nothing } from '../../controllers/action.ts'
import { reconcileGarbage } from '../../controllers/garbage-collector.ts'
import { eventType } from '../../resources/event.ts'
import { resourceTypes } from '../../resources/index.ts'
import type { Controller } from '../controller.ts'
import { GarbageViews } from '../garbage-view.ts'

const isCollected = ({ plural, verbs }: { plural: string; verbs: readonly string[] }): boolean =>
  // Events are many and own nothing; they end by themselves.
  plural !== eventType.plural && ['list', 'watch', 'delete'].every((verb) => verbs.includes(verb))

export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  connect: ({ informers }) => {
    for (const type of resourceTypes)
      if (type.storage === undefined && isCollected(type)) informers.of(type)
    const collected = informers.all
    const views = new GarbageViews(collected)
    return {
      watches: collected.map((kind) => views.watch(kind)),
      reconcile: (key) => {
        const view = views.view(key)
        return view === undefined ? nothing : reconcileGarbage(view)
      },
    }
  },
}
