// What controllers, scheduler, agent and CLI use to talk to the apiserver: the same interface in-process (no socket) and over HTTP.
import type { TokenRequestSpec, TokenRequestStatus } from './token-request.ts'
import type { Json, KubeObject, Stored } from '../resources/object.ts'

/** Names a collection: `{ group: 'apps', version: 'v1', plural: 'deployments' }`. */
export interface ResourceRef {
  readonly group: string
  readonly version: string
  readonly plural: string
}

export interface ListOptions {
  /** Left out: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
}
export interface ListResult<T extends KubeObject> {
  readonly items: readonly Stored<T>[]
  readonly resourceVersion: string
  readonly continue: string | undefined
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored<T> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
export interface ApiWatchHandlers<T extends KubeObject> {
  event(event: WatchEvent<T>): void
  /** Called once. ApiError with reason Expired: list again. undefined: closed, or the server ended it (start again where it stopped). */
  ended(error: Error | undefined): void
}

export interface ApplyOptions {
  readonly fieldManager: string
  readonly force?: boolean
}

export type PatchType = 'json' | 'merge' | 'strategic'

/** Kubernetes' Status answers as an error; `reason` is upstream's (NotFound, AlreadyExists, Conflict, Invalid, Expired, Forbidden, ...). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: number
  readonly reason: string
  readonly details: Json | undefined

  constructor(code: number, reason: string, message: string, details?: Json) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }
}

/** Rejections are ApiError when the server answered. Names of cluster-scoped objects: `namespace` undefined. */
export interface ApiClient {
  get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored<T>>
  list<T extends KubeObject>(ref: ResourceRef, options?: ListOptions): Promise<ListResult<T>>
  /** From `resourceVersion` on (exclusive). Returns close(). */
  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions & { resourceVersion: string },
    handlers: ApiWatchHandlers<T>,
  ): () => void
  create<T extends KubeObject>(ref: ResourceRef, object: T): Promise<Stored<T>>
  /**
   * Compare-and-swap on metadata.resourceVersion when it is set. `subresource` 'finalize' is for Namespaces: it replaces
   * spec.finalizers, and a deleted Namespace without any is removed.
   */
  update<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    subresource?: 'status' | 'finalize' | 'approval',
  ): Promise<Stored<T>>
  patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: 'status' | 'scale',
  ): Promise<Stored<T>>
  /**
   * Server-side apply: `object` holds the fields that `fieldManager` wants to own, and is created where it is missing. Rejects with
   * ApiError Conflict, which names the other owners, unless `force` takes the fields from them.
   */
  apply<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    options: ApplyOptions,
  ): Promise<Stored<T>>
  delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options?: {
      gracePeriodSeconds?: number
      uid?: string
      resourceVersion?: string
      propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
    },
  ): Promise<void>
  /** POST pods/NAME/binding. */
  bind(namespace: string, pod: string, node: string): Promise<void>
  /** POST serviceaccounts/NAME/token. */
  createToken(
    namespace: string,
    serviceAccount: string,
    spec: TokenRequestSpec,
  ): Promise<TokenRequestStatus>
}
