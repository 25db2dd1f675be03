// Which nodes, pods and revisions concern which DaemonSet, and what its reconcile sees of them.
import { objectKey } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { reconcileDaemonSet } from '../../controllers/daemon-set/daemon-set.ts'
import { revisionNameOf } from '../../controllers/revisions.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import {
  controllerRevisionType,
  type ControllerRevision,
} from '../../resources/workloads/controller-revision.ts'
import { daemonSetType, type DaemonSet } from '../../resources/workloads/daemon-set.ts'
import { watchChanges, watchOf } from '../controller-loop.ts'
import { candidatesOf, controllerKeys, ownKey, type Controller } from '../controller.ts'
import { RetryDelays } from '../retry-delays.ts'
import { revisionsFor } from './stateful-set-controller.ts'

/** Between pods of one node that fail. */
const failureDelays = { firstMs: 1000, maxMs: 15 * 60_000 }

/** Heartbeats change nothing that decides where daemons run. */
const isRelevant = (
  current: Stored<Node> | undefined,
  previous: Stored<Node> | undefined,
): boolean =>
  current === undefined ||
  previous === undefined ||
  !jsonEqual(current.metadata.labels, previous.metadata.labels) ||
  !jsonEqual(current.spec, previous.spec)

export const daemonSetController: Controller = {
  name: 'daemon-set-controller',
  component: 'daemonset-controller',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    const nodes = informers.of(nodeType)
    const all = informers.of(daemonSetType)
    const revisions = informers.of(controllerRevisionType)
    const delays = new RetryDelays(failureDelays)
    const selecting = (object: Stored<KubeObject>): Stored<DaemonSet>[] =>
      all
        .find('namespace', object.metadata.namespace ?? '')
        .filter(({ spec }) => matchesSelector(spec.selector, object.metadata.labels))
    return {
      watches: [
        watchOf(all, ownKey),
        watchOf(pods, controllerKeys<Pod>('DaemonSet', selecting)),
        watchOf(revisions, controllerKeys<ControllerRevision>('DaemonSet', selecting)),
        watchChanges(nodes, (current, previous) =>
          isRelevant(current, previous) ? all.list().map(objectKey) : [],
        ),
      ],
      reconcile: (key, nowMs) => {
        const daemonSet = all.get(key)
        if (daemonSet === undefined) return nothing
        const { namespace = '', uid, generation = 0 } = daemonSet.metadata
        const { template } = daemonSet.spec
        const name = revisionNameOf(daemonSet, template, daemonSet.status.collisionCount)
        const delayKey = (node: string): string => `${uid}/${generation}/${node}`
        const reconciliation = reconcileDaemonSet({
          daemonSet,
          nodes: nodes.list(),
          pods: candidatesOf(pods, namespace, uid),
          revisions: revisionsFor(revisions, daemonSet, name),
          retryAfterMs: (node) => delays.afterMs(delayKey(node), nowMs),
          nowMs,
        })
        for (const node of reconciliation.failedOn) delays.failed(delayKey(node), nowMs)
        return reconciliation
      },
    }
  },
}
