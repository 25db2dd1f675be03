// Which pods the selectors of a kind select, kept as pods and selectors change: asking costs what is found, not what there is.
import { objectKey } from '../client/object-cache.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { KubeObject, LabelSelector, Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { SharedCache } from './controller.ts'

export class SelectedPods<T extends KubeObject> {
  readonly #owners: SharedCache<T>
  readonly #selectorOf: (owner: Stored<T>) => LabelSelector | undefined
  /** By key of the owner, then by key of the pod. */
  readonly #selected = new Map<string, Map<string, Stored<Pod>>>()

  /** `selectorOf` undefined: selects nothing. Made before the caches' other listeners, so that they find it up to date. */
  constructor(
    owners: SharedCache<T>,
    pods: SharedCache<Pod>,
    selectorOf: (owner: Stored<T>) => LabelSelector | undefined,
  ) {
    this.#owners = owners
    this.#selectorOf = selectorOf
    owners.onChange((key, owner) => {
      const selector = owner === undefined ? undefined : selectorOf(owner)
      if (owner === undefined || selector === undefined) this.#selected.delete(key)
      else {
        const found = pods
          .find('namespace', owner.metadata.namespace ?? '')
          .filter(({ metadata }) => matchesSelector(selector, metadata.labels))
        this.#selected.set(key, new Map(found.map((pod) => [objectKey(pod), pod])))
      }
    })
    pods.onChange((key, pod, previous) => {
      const some = pod ?? previous
      if (some === undefined) return
      for (const owner of owners.find('namespace', some.metadata.namespace ?? '')) {
        const selected = this.#selected.get(objectKey(owner))
        if (pod !== undefined && this.#selects(owner, pod)) selected?.set(key, pod)
        else selected?.delete(key)
      }
    })
  }

  /** Of the owner of this key. */
  of(ownerKey: string): readonly Stored<Pod>[] {
    return [...(this.#selected.get(ownerKey)?.values() ?? [])]
  }

  /** Keys of the owners that select the pod. */
  ownersOf(pod: Stored<Pod>): string[] {
    return this.#owners
      .find('namespace', pod.metadata.namespace ?? '')
      .filter((owner) => this.#selects(owner, pod))
      .map(objectKey)
  }

  #selects(owner: Stored<T>, { metadata }: Stored<Pod>): boolean {
    const selector = this.#selectorOf(owner)
    return selector !== undefined && matchesSelector(selector, metadata.labels)
  }
}
