// The ControllerRevisions of a StatefulSet or DaemonSet: one per template it ever had, the newest being the one to bring about. Going back
// to an earlier template gives its revision the highest number again.
import { jsonEqual } from '../resources/json-equal.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { Json, KubeObject, LabelSelector, Stored } from '../resources/object.ts'
import { podTemplateHash } from '../resources/pod-template-hash.ts'
import type { PodTemplateSpec } from '../resources/pod-spec/pod-spec.ts'
import {
  controllerRevisionType,
  type ControllerRevision,
} from '../resources/workloads/controller-revision.ts'
import { deletionOf, type Action, type CollectionRef } from './action.ts'
import { claim, controllerReference } from './owner.ts'

export interface RevisionOwner {
  readonly object: Stored<KubeObject>
  readonly ref: CollectionRef
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
  /** Of its status: how often a hash was taken. */
  readonly collisionCount: number | undefined
  /** The label of a revision that carries its hash. */
  readonly hashLabel: string
}

export interface Revision {
  readonly name: string
  readonly hash: string
  readonly template: PodTemplateSpec
}
export interface Revisions {
  /** That of the present template. */
  readonly update: Revision
  /** All that the owner has, oldest first, before the actions. */
  readonly owned: readonly Stored<ControllerRevision>[]
  readonly actions: readonly Action[]
}

export const revisionNameOf = (
  { metadata }: Stored<KubeObject>,
  template: PodTemplateSpec,
  collisionCount: number | undefined,
): string => `${metadata.name}-${podTemplateHash(template, collisionCount ?? 0)}`

/** `candidates`: revisions it controls, those nobody controls, and any of the next name. Undefined: that name is somebody else's. */
export function followTemplate(
  owner: RevisionOwner,
  candidates: readonly Stored<ControllerRevision>[],
): Revisions | undefined {
  const { object, ref, selector, template, collisionCount } = owner
  const claimed = claim(object, ref, controllerRevisionType, candidates, ({ metadata }) =>
    matchesSelector(selector, metadata.labels),
  )
  const owned = claimed.owned.toSorted(byRevision)
  const data = dataOf(template)
  const equal = owned.findLast((revision) => jsonEqual(revision.data, data))
  const last = owned.at(-1)
  const next = (last?.revision ?? 0) + 1
  if (equal !== undefined) {
    const actions = [...claimed.actions]
    if (equal !== last) {
      const renewed: ControllerRevision = { ...equal, revision: next }
      actions.push({ type: 'update', ref: controllerRevisionType, object: renewed })
    }
    return { update: revisionOf(equal, owner.hashLabel), owned, actions }
  }
  const name = revisionNameOf(object, template, collisionCount)
  if (candidates.some(({ metadata }) => metadata.name === name)) return undefined
  const made = newRevision(owner, name, next)
  const creation: Action = { type: 'create', ref: controllerRevisionType, object: made }
  return {
    update: { name, hash: podTemplateHash(template, collisionCount ?? 0), template },
    owned,
    actions: [...claimed.actions, creation],
  }
}

const byRevision = (left: Stored<ControllerRevision>, right: Stored<ControllerRevision>): number =>
  left.revision - right.revision || (left.metadata.name < right.metadata.name ? -1 : 1)

/** What a strategic merge patch needs to bring the template back: kubectl sends it for an undo. */
const dataOf = (template: PodTemplateSpec): Json =>
  // A template is JSON; the compiler does not see that in an interface.
  ({ spec: { template: { ...template, $patch: 'replace' } } }) as unknown as Json

export const revisionOf = (revision: Stored<ControllerRevision>, hashLabel: string): Revision => {
  const data = revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } }
  const { $patch: _directive, ...template } = data.spec?.template ?? { spec: { containers: [] } }
  const { name, labels } = revision.metadata
  return { name, hash: labels?.[hashLabel] ?? '', template }
}

function newRevision(owner: RevisionOwner, name: string, revision: number): ControllerRevision {
  const { object, template, collisionCount, hashLabel } = owner
  const { namespace, annotations } = object.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...template.metadata?.labels,
        [hashLabel]: podTemplateHash(template, collisionCount ?? 0),
      },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(object)],
    },
    data: dataOf(template),
    revision,
  }
}

/** Deletes the oldest beyond `limit` of those that are not `live`. */
export function truncateHistory(
  owned: readonly Stored<ControllerRevision>[],
  live: ReadonlySet<string>,
  limit: number,
): Action[] {
  const old = owned.filter(({ metadata }) => !live.has(metadata.name))
  return old
    .slice(0, Math.max(0, old.length - limit))
    .map((revision) => deletionOf(controllerRevisionType, revision))
}
