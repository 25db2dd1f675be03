// Which pods and revisions concern which StatefulSet, and what its reconcile sees of them.
import { keyOf } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { revisionNameOf } from '../../controllers/revisions.ts'
import { claimName, ordinalOf } from '../../controllers/stateful-set/members.ts'
import { reconcileStatefulSet } from '../../controllers/stateful-set/stateful-set.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { persistentVolumeClaimType } from '../../resources/storage/persistent-volume-claim.ts'
import {
  controllerRevisionType,
  type ControllerRevision,
} from '../../resources/workloads/controller-revision.ts'
import { statefulSetType, type StatefulSet } from '../../resources/workloads/stateful-set.ts'
import { watchOf } from '../controller-loop.ts'
import {
  candidatesOf,
  controllerKeys,
  ownKey,
  type Controller,
  type SharedCache,
} from '../controller.ts'

/** What a set may claim, and what already has the name that its next revision wants. */
export const revisionsFor = (
  cache: SharedCache<ControllerRevision>,
  owner: Stored<KubeObject>,
  name: string,
): readonly Stored<ControllerRevision>[] => {
  const { namespace = '', uid } = owner.metadata
  const candidates = candidatesOf(cache, namespace, uid)
  const named = cache.get(keyOf(namespace, name))
  return named === undefined || candidates.includes(named) ? candidates : [...candidates, named]
}

export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    const all = informers.of(statefulSetType)
    const revisions = informers.of(controllerRevisionType)
    const claims = informers.of(persistentVolumeClaimType)
    const selecting = (object: Stored<KubeObject>): Stored<StatefulSet>[] =>
      all
        .find('namespace', object.metadata.namespace ?? '')
        .filter(({ spec }) => matchesSelector(spec.selector, object.metadata.labels))
    const ownerOf = controllerKeys<Pod>('StatefulSet', (pod) =>
      selecting(pod).filter((set) => ordinalOf(set, pod) !== undefined),
    )
    /** A claim that is gone may be what a pod waits for. */
    const claimants = (claim: Stored<KubeObject>): string[] =>
      selecting(claim)
        .filter(({ metadata, spec }) =>
          spec.volumeClaimTemplates?.some((template) =>
            claim.metadata.name.startsWith(claimName(template.metadata.name ?? '', metadata.name)),
          ),
        )
        .map(({ metadata }) => keyOf(metadata.namespace, metadata.name))
    return {
      watches: [
        watchOf(all, ownKey),
        watchOf(pods, ownerOf),
        watchOf(revisions, controllerKeys<ControllerRevision>('StatefulSet', selecting)),
        watchOf(claims, claimants),
      ],
      reconcile: (key, nowMs) => {
        const set = all.get(key)
        if (set === undefined) return nothing
        const { namespace = '', uid } = set.metadata
        const name = revisionNameOf(set, set.spec.template, set.status.collisionCount)
        return reconcileStatefulSet({
          set,
          pods: candidatesOf(pods, namespace, uid),
          revisions: revisionsFor(revisions, set, name),
          findClaim: (claim) => claims.get(keyOf(namespace, claim)),
          nowMs,
        })
      },
    }
  },
}
