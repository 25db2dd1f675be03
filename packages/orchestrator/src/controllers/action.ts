// What a reconcile function asks for. Actions are data; the executor of src/loop performs them in order and stops at the first that
// fails, so a reconcile may rely on earlier actions when it lists later ones. Each action is safe to repeat: after a crash between two
// of them the next reconcile starts from what is there.
import type { Json, KubeObject, Stored } from '../resources/object.ts'

/** A collection: group, version and plural. */
export interface CollectionRef {
  readonly group: string
  readonly version: string
  readonly plural: string
}

/** One object, by place and uid. */
export interface ObjectId {
  readonly ref: CollectionRef
  readonly namespace: string | undefined
  readonly name: string
  readonly uid: string
}

export interface Regarding {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
}

/** An event; `NAME` and `ERROR` in the message stand for the object acted on and for what went wrong. */
export interface Announcement {
  readonly regarding: Regarding
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** What is told when an action is done, and when it failed. */
export interface Announced {
  readonly done?: Announcement
  readonly failed?: Announcement
}

export type Action =
  | ({
      readonly type: 'create'
      readonly ref: CollectionRef
      readonly object: KubeObject
    } & Announced)
  /** Compare-and-swap on metadata.resourceVersion. */
  | ({
      readonly type: 'update'
      readonly ref: CollectionRef
      readonly object: KubeObject
      readonly subresource?: 'status' | 'finalize' | 'approval'
    } & Announced)
  /** A merge patch; give metadata.uid or resourceVersion in it as a precondition. */
  | ({
      readonly type: 'patch'
      readonly ref: CollectionRef
      readonly namespace: string | undefined
      readonly name: string
      readonly patch: Json
      readonly subresource?: 'status' | 'scale'
      /** Done only if a live read shows this one, not being deleted: an owner that adopts. Else it is left out. */
      readonly onlyIf?: ObjectId
      /** Left out if a live read shows this one: what must not be done because a cache is behind. Without uid: any of that name. */
      readonly unless?: Omit<ObjectId, 'uid'> & { readonly uid: string | undefined }
    } & Announced)
  /** Of exactly this uid; being gone already is fine. */
  | ({
      readonly type: 'delete'
      readonly ref: CollectionRef
      readonly namespace: string | undefined
      readonly name: string
      readonly uid: string
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
      /** Pods: 0 removes at once, without an agent. */
      readonly gracePeriodSeconds?: number
    } & Announced)
  /** A delete that is done only if a live read shows that none of `owners` exists any more: caches may be behind. */
  | {
      readonly type: 'deleteUnowned'
      readonly ref: CollectionRef
      readonly namespace: string | undefined
      readonly name: string
      readonly uid: string
      readonly owners: readonly ObjectId[]
    }
  /** Deletes all of these kinds that a live list finds in the namespace; says in its conditions what is left, and fails while anything is. */
  | {
      readonly type: 'deleteContents'
      readonly refs: readonly CollectionRef[]
      readonly namespace: string
    }
  | { readonly type: 'event'; readonly event: Announcement }
  /** Independent of each other. 1, 2, 4... at a time: when one fails, no larger batch is tried. */
  | { readonly type: 'slowStart'; readonly actions: readonly Action[] }

export interface Reconciliation {
  readonly actions: readonly Action[]
  /** Come again even if nothing changes. */
  readonly requeueAfterMs?: number
}

/** What the last reconcile of a key failed with, conflicts apart. */
export interface Failure {
  readonly verb: 'create' | 'update' | 'patch' | 'delete'
  readonly message: string
}

export const nothing: Reconciliation = { actions: [] }

type Deletion = Extract<Action, { type: 'delete' }>

/** Deletes this very object. */
export const deletionOf = (
  ref: CollectionRef,
  { metadata: { namespace, name, uid } }: Stored<KubeObject>,
  more: Pick<Deletion, 'propagationPolicy' | 'gracePeriodSeconds'> & Announced = {},
): Deletion => ({ type: 'delete', ref, namespace, name, uid, ...more })
