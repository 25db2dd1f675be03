// The shape every Kubernetes object shares. Kind-specific types are beside it, one file per kind; only what Balsa reads is typed,
// everything else passes through untouched.

import type { JsonSchema } from './custom/json-schema.ts'
import type { Decoded } from './schema/decode-object.ts'

/** Anything JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** Times are RFC 3339 in UTC with seconds. `resourceVersion` is the store's revision as decimal text; opaque to clients. */
export interface ObjectMeta {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly finalizers?: readonly string[]
  readonly managedFields?: readonly Json[]
}

/** Objects are immutable values: whoever changes one makes a new one. Cached objects are shared by all readers. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** A stored object: the fields the apiserver always sets are there. */
export type Stored<T extends KubeObject> = T & {
  readonly metadata: ObjectMeta & {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly creationTimestamp: string
  }
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly lastUpdateTime?: string
  readonly lastProbeTime?: string | null
  readonly lastHeartbeatTime?: string
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values?: readonly string[]
  }[]
}

/** One validation problem, as upstream's field.Error. `detail` is the text after the reason ("Required value: DETAIL"). */
export interface FieldError {
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound'
    | 'FieldValueNotSupported'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong'
  /** e.g. `spec.containers[0].name` */
  readonly field: string
  /** The whole line after the field, as upstream prints it: `Invalid value: "x": must be ...`. */
  readonly message: string
}

export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date' | 'number' | 'boolean'
  readonly format?: string
  readonly description: string
  /** 0: always, 1: only with -o wide. */
  readonly priority: number
}
export type Cell = string | number | boolean | null

/** How the field path and key of a list are merged by strategic merge patch: path without indices -> merge key ('' for a set of scalars). */
export type MergeKeys = Readonly<Record<string, string>>

/**
 * A kind as data: everything the generic registry needs to serve it. Pure: `now` is passed in as epoch milliseconds.
 * One exported constant per kind in a file of its own; `resources/index.ts` lists them. Its functions take objects that
 * decodeObject (schema/decode-object.ts) made of a request or of a patched object, or that typed code made: they check no types.
 */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly subresources: {
    readonly status?: boolean
    /** Reads and writes autoscaling/v1 Scale: `replicas` and a selector string. */
    readonly scale?: {
      get(object: T): {
        readonly specReplicas: number
        readonly statusReplicas: number
        readonly selector: string
      }
      set(object: T, replicas: number): T
    }
  }
  /** Kinds that users bring: the schema that they brought. They take no strategic merge patches. */
  readonly custom?: {
    readonly schema: JsonSchema
    /** What those are told who still use the version. */
    readonly deprecationWarning?: string
  }
  /** Kinds without a message in schema/: how JSON becomes an object. */
  decode?(value: Json): Decoded<T>
  /** Fills what upstream fills on create and update; returns the object itself when nothing changes. */
  defaults(object: T): T
  /** On create: what the system sets (status Pending, qosClass...) in place of the status that the client sent. */
  prepareForCreate?(object: T): T
  /** On update of the main resource: keeps what a client may not change and says whether spec changed (generation + 1). */
  prepareForUpdate?(object: T, old: T): T
  validate(object: T): readonly FieldError[]
  /** What is checked of a new object besides validate(). */
  validateCreate?(object: T): readonly FieldError[]
  validateUpdate?(object: T, old: T): readonly FieldError[]
  /** What is checked besides of the stored form of what is written through this version. `old` undefined: it is new. */
  validateServed?(object: T, old: T | undefined): readonly FieldError[]
  readonly columns: readonly Column[]
  cells(object: T, now: number): readonly Cell[]
  /** Fields usable in fieldSelector besides metadata.name and metadata.namespace. */
  selectableFields?(object: T): Readonly<Record<string, string>>
  /** OpenAPI v3 schema of a kind that no table of schema/tables has, without apiVersion, kind and metadata. */
  readonly openApiSchema?: { readonly [key: string]: Json | undefined }
  /** Another served version of a stored kind: the kind that is stored. Its own data then only names and describes this version. */
  readonly storage?: ResourceType
  /** With `storage`: what is decoded of this version in the stored version. Pure; apiVersion and kind are set by the caller. */
  toStorage?(object: KubeObject): KubeObject
  /** With `storage`: the way back, for answers. */
  fromStorage?(object: KubeObject): KubeObject
  /** Pods: deletion is graceful, the agent ends it. Seconds, given the request; undefined: remove at once. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number
}
