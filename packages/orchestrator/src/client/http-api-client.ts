// The ApiClient over HTTP: what runs in another process than the apiserver talks to it through this.
import type { TokenRequestSpec, TokenRequestStatus } from './token-request.ts'
import type { Json, KubeObject, Stored } from '../resources/object.ts'
import type {
  ApiClient,
  ApiWatchHandlers,
  ApplyOptions,
  ListOptions,
  ListResult,
  PatchType,
  ResourceRef,
  WatchEvent,
} from './api-client.ts'
import { ConnectionError, HttpTransport, parseJson, statusError } from './http-transport.ts'
import type { ApiServerAddress } from './http-transport.ts'

const patchContentTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

/** The path of a collection: `/apis/apps/v1/namespaces/default/deployments`. */
export const collectionPath = (ref: ResourceRef, namespace: string | undefined): string => {
  const group = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${group}${scope}/${ref.plural}`
}

/** The path of an object, or of one of its subresources. */
export const objectPath = (
  ref: ResourceRef,
  namespace: string | undefined,
  name: string,
  subresource?: string,
): string => {
  const path = `${collectionPath(ref, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

export class HttpApiClient implements ApiClient {
  readonly #transport: HttpTransport

  /** Several clients may share one transport. */
  constructor(server: ApiServerAddress | HttpTransport) {
    this.#transport = server instanceof HttpTransport ? server : new HttpTransport(server)
  }

  async get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored<T>> {
    return asStored<T>(
      await this.#transport.json({ method: 'GET', path: objectPath(ref, namespace, name) }),
    )
  }

  async list<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions = {},
  ): Promise<ListResult<T>> {
    const answer = await this.#transport.json({
      method: 'GET',
      path: collectionPath(ref, options.namespace),
      query: listQuery(options),
    })
    const list = answer as {
      apiVersion?: string
      kind?: string
      metadata?: { resourceVersion?: string; continue?: string }
      items?: Json[] | null
    }
    // Items of a list do not repeat their kind.
    const typeMeta = { apiVersion: list.apiVersion, kind: list.kind?.replace(/List$/, '') }
    const next = list.metadata?.continue ?? ''
    return {
      items: (list.items ?? []).map((item) => asStored<T>({ ...typeMeta, ...(item as object) })),
      resourceVersion: list.metadata?.resourceVersion ?? '',
      continue: next === '' ? undefined : next,
    }
  }

  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions & { resourceVersion: string },
    handlers: ApiWatchHandlers<T>,
  ): () => void {
    let isEnded = false
    const end = (error: Error | undefined): void => {
      if (isEnded) return
      isEnded = true
      close()
      handlers.ended(error)
    }
    const close = this.#transport.stream(
      {
        method: 'GET',
        path: collectionPath(ref, options.namespace),
        query: {
          ...listQuery(options),
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion: options.resourceVersion,
        },
      },
      'line',
      {
        text: (line) => {
          if (isEnded) return
          const event = decodeWatchLine<T>(line)
          if (event instanceof Error) end(event)
          else handlers.event(event)
        },
        ended: end,
      },
    )
    return () => {
      isEnded = true
      close()
    }
  }

  async create<T extends KubeObject>(ref: ResourceRef, object: T): Promise<Stored<T>> {
    return asStored<T>(
      await this.#transport.json({
        method: 'POST',
        path: collectionPath(ref, object.metadata.namespace),
        body: asJson(object),
      }),
    )
  }

  async update<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    subresource?: 'status' | 'finalize' | 'approval',
  ): Promise<Stored<T>> {
    const { namespace, name = '' } = object.metadata
    return asStored<T>(
      await this.#transport.json({
        method: 'PUT',
        path: objectPath(ref, namespace, name, subresource),
        body: asJson(object),
      }),
    )
  }

  async patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: 'status' | 'scale',
  ): Promise<Stored<T>> {
    return asStored<T>(
      await this.#transport.json({
        method: 'PATCH',
        path: objectPath(ref, namespace, name, subresource),
        contentType: patchContentTypes[type],
        body: patch,
      }),
    )
  }

  async apply<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    options: ApplyOptions,
  ): Promise<Stored<T>> {
    const { namespace, name = '' } = object.metadata
    return asStored<T>(
      await this.#transport.json({
        method: 'PATCH',
        path: objectPath(ref, namespace, name),
        query: { fieldManager: options.fieldManager, force: options.force },
        contentType: 'application/apply-patch+yaml',
        body: asJson(object),
      }),
    )
  }

  async delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options: Parameters<ApiClient['delete']>[3] = {},
  ): Promise<void> {
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options
    await this.#transport.json({
      method: 'DELETE',
      path: objectPath(ref, namespace, name),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        gracePeriodSeconds,
        propagationPolicy,
        ...(uid === undefined && resourceVersion === undefined
          ? {}
          : { preconditions: { uid, resourceVersion } }),
      },
    })
  }

  async bind(namespace: string, pod: string, node: string): Promise<void> {
    await this.#transport.json({
      method: 'POST',
      path: objectPath({ group: '', version: 'v1', plural: 'pods' }, namespace, pod, 'binding'),
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod, namespace },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      },
    })
  }

  async createToken(
    namespace: string,
    serviceAccount: string,
    spec: TokenRequestSpec,
  ): Promise<TokenRequestStatus> {
    const accounts = { group: '', version: 'v1', plural: 'serviceaccounts' }
    const answer = await this.#transport.json({
      method: 'POST',
      path: objectPath(accounts, namespace, serviceAccount, 'token'),
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { ...spec } as Json,
      },
    })
    return (answer as unknown as { readonly status: TokenRequestStatus }).status
  }
}

const listQuery = (options: ListOptions): Record<string, string | number | undefined> => ({
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
  limit: options.limit,
  continue: options.continue,
})

/** The server's answers are trusted to be what the API promises: this is the boundary. */
const asStored = <T extends KubeObject>(answer: Json): Stored<T> => answer as unknown as Stored<T>
const asJson = (object: KubeObject): Json => object as unknown as Json

const decodeWatchLine = <T extends KubeObject>(line: string): WatchEvent<T> | Error => {
  const event = parseJson(line) as { type?: string; object?: Json } | undefined
  const { type = '', object } = event ?? {}
  if (typeof object !== 'object' || object === null) {
    return new ConnectionError('BROKEN', 'A line of a watch is no event')
  }
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
    return { type, object: asStored<T>(object) }
  }
  if (type === 'BOOKMARK') {
    return { type, resourceVersion: asStored<T>(object).metadata.resourceVersion }
  }
  return type === 'ERROR'
    ? statusError(500, JSON.stringify(object))
    : new ConnectionError('BROKEN', 'A line of a watch has an unknown type')
}
