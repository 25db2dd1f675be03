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
}

export class ApiSession implements Disposable {
  readonly transport: HttpTransport
  readonly client: ApiClient
  readonly server: ApiServerAddress
  /** -n, or the kubeconfig's, or `default`. */
  readonly namespace: string
  #served: Promise<readonly ServedResource[]> | undefined

  constructor(options: SessionOptions) {
    const { server, namespace } = readKubeconfig(options)
    this.server = server
    this.transport = new HttpTransport(server)
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
