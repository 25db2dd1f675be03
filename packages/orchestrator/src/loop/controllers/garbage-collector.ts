// The garbage collector watches everything that can own or be owned, kinds that users bring too, from when they are served.
import { nothing } from '../../controllers/action.ts'
import { reconcileGarbage } from '../../controllers/garbage-collector.ts'
import { eventType } from '../../resources/event.ts'
import type { ResourceType } from '../../resources/object.ts'
import type { Watch } from '../controller-loop.ts'
import type { Caches, Controller, ServedKinds } from '../controller.ts'
import { collectionName } from '../expectations.ts'
import { GarbageViews } from '../garbage-view.ts'

const isCollected = ({ plural, verbs }: { plural: string; verbs: readonly string[] }): boolean =>
  // Events are many and own nothing; they end by themselves.
  plural !== eventType.plural && ['list', 'watch', 'delete'].every((verb) => verbs.includes(verb))

export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  connect: ({ informers, kinds }) => {
    for (const type of kinds.list()) {
      if (type.custom === undefined && isCollected(type)) informers.of(type)
    }
    const collected = informers.all
    const views = new GarbageViews(collected)
    return {
      watches: [
        ...collected.map((kind) => views.watch(kind)),
        customKinds(informers, kinds, views),
      ],
      reconcile: (key) => {
        const view = views.view(key)
        return view === undefined ? nothing : reconcileGarbage(view)
      },
    }
  },
}

/** The objects of kinds that users bring: watched from when their kind is served until it is not. */
const customKinds = (informers: Caches, kinds: ServedKinds, views: GarbageViews): Watch => {
  const watched = new Map<string, { readonly type: ResourceType; readonly watch: Watch }>()
  let tell: (keys: readonly string[]) => void = () => undefined
  const follow = (): void => {
    const served = kinds.list().filter((type) => type.custom !== undefined && isCollected(type))
    const names = new Set(served.map(collectionName))
    for (const [name, { type }] of watched) {
      if (names.has(name)) continue
      watched.delete(name)
      views.remove({ type })
      informers.drop(type)
    }
    for (const type of served) {
      const name = collectionName(type)
      if (watched.has(name)) continue
      const kind = { type, informer: informers.of(type) }
      views.add(kind)
      const watch = views.watch(kind)
      watched.set(name, { type, watch })
      watch.subscribe((keys) => tell(keys))
    }
  }
  follow()
  kinds.onChange(follow)
  const all = (): Watch[] => [...watched.values()].map(({ watch }) => watch)
  return {
    subscribe: (changed) => {
      tell = changed
      changed(all().flatMap((watch) => watch.keys()))
    },
    keys: () => all().flatMap((watch) => watch.keys()),
    synced: async () => {
      await Promise.all(all().map((watch) => watch.synced()))
    },
  }
}
