// What a DaemonSet's reconcile knows, node by node.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { DaemonSet } from '../../resources/workloads/daemon-set.ts'
import type { Revision } from '../revisions.ts'
import type { Fit } from './daemon-nodes.ts'

/** Of pods and of revisions: the hash of the template. */
export const revisionLabel = 'controller-revision-hash'

/** One node and what of the set is on it. */
export interface DaemonPlace {
  readonly node: string
  readonly fit: Fit
  /** Oldest first, those on their way out too. */
  readonly pods: readonly Stored<Pod>[]
}
export interface DaemonState {
  readonly daemonSet: Stored<DaemonSet>
  readonly places: readonly DaemonPlace[]
  readonly update: Revision
  readonly nowMs: number
}
