// What every verb that talks to the apiserver starts with: the kubeconfig's server, a client, and what the server serves.
import type { ApiClient } from '../client/api-client.ts'
import { HttpApiClient } from '../client/http-api-client.ts'
import { type ApiServerAddress, HttpTransport } from '../client/http-transport.ts'
import { discover } from './discovery.ts'
import type { ServedResource } from './discovery.ts'
import { readKubeconfig } from '../client/kubeconfig-file.ts'
import type { KubeconfigOptions } from '../client/kubeconfig-file.ts'

export interface SessionOptions extends KubeconfigOptions {
  readonly namespace?: string
  readonly server?: string
  readonly token?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly as?: string
  readonly asGroup?: readonly string[]
  readonly asUid?: string
}

/** What flags say instead of the kubeconfig. Throws Error as kubectl tells it. */
const changedAddress = (options: SessionOptions, userName: string): Partial<ApiServerAddress> => {
  const { server, token, insecureSkipTlsVerify, as, asGroup = [], asUid } = options
  if (as === undefined && (asGroup.length > 0 || asUid !== undefined))
    throw new Error(
      `requesting uid, groups or user-extra for ${userName} without impersonating a user`,
    )
  return {
    ...(server === undefined ? {} : { url: server }),
    ...(token === undefined ? {} : { token }),
    ...(insecureSkipTlsVerify === true ? { skipTlsVerify: true } : {}),
    ...(as === undefined
      ? {}
      : {
          impersonation: {
            'Impersonate-User': as,
            ...(asGroup.length === 0 ? {} : { 'Impersonate-Group': asGroup }),
            ...(asUid === undefined ? {} : { 'Impersonate-Uid': asUid }),
          },
        }),
  }
}

export class ApiSession implements Disposable {
  readonly transport: HttpTransport
  readonly client: ApiClient
  readonly server: ApiServerAddress
  /** -n, or the kubeconfig's, or `default`. */
  readonly namespace: string
  #served: Promise<readonly ServedResource[]> | undefined

  constructor(options: SessionOptions) {
    const { server, namespace, userName } = readKubeconfig(options)
    this.server = { ...server, ...changedAddress(options, userName) }
    this.transport = new HttpTransport(this.server)
    this.client = new HttpApiClient(this.transport)
    this.namespace = options.namespace ?? namespace
  }

  served(): Promise<readonly ServedResource[]> {
    this.#served ??= discover(this.transport)
    return this.#served
  }

  /** Where objects of `resource` are: undefined for cluster-scoped kinds. */
  namespaceOf(resource: ServedResource): string | undefined {
    return resource.namespaced ? this.namespace : undefined
  }

  [Symbol.dispose](): void {
    this.transport.close()
  }
}
