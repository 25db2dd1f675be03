// From a kubeconfig, a pod's ServiceAccount or an address to a client: how a program of its own reaches an apiserver, Balsa's or any other.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../resources/object.ts'
import type { ApiClient, ResourceRef } from './api-client.ts'
import { HttpApiClient } from './http-api-client.ts'
import { HttpTransport, type ApiServerAddress } from './http-transport.ts'
import { readKubeconfig, type KubeconfigOptions } from './kubeconfig-file.ts'
import { Resource } from './resource.ts'

export interface ConnectOptions extends KubeconfigOptions {
  /** Instead of a kubeconfig. */
  readonly server?: ApiServerAddress
}

export interface ApiConnection extends Disposable {
  readonly client: ApiClient
  /** The kubeconfig's or the pod's. */
  readonly namespace: string
  resource<T extends KubeObject>(ref: ResourceRef): Resource<T>
  /** Requests under way fail. */
  close(): void
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Without options: in a pod with a ServiceAccount's token as that account, else by the kubeconfig that kubectl would take. Throws Error
 * with one line that says what is missing; connects with the first request.
 */
export const connectApi = (options: ConnectOptions = {}): ApiConnection => {
  const { server, namespace } = addressOf(options)
  const transport = new HttpTransport(server)
  const client = new HttpApiClient(transport)
  const close = (): void => transport.close()
  return {
    client,
    namespace,
    resource: (ref) => new Resource(client, ref),
    close,
    [Symbol.dispose]: close,
  }
}

const addressOf = (
  options: ConnectOptions,
): { readonly server: ApiServerAddress; readonly namespace: string } => {
  if (options.server !== undefined) return { server: options.server, namespace: 'default' }
  const isOpen = options.kubeconfig === undefined && options.context === undefined
  return (isOpen ? inPod(process.env, serviceAccountFolder) : undefined) ?? readKubeconfig(options)
}

/** What a pod is given; undefined outside of one. */
export const inPod = (
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): { readonly server: ApiServerAddress; readonly namespace: string } | undefined => {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = env['KUBERNETES_SERVICE_PORT'] ?? ''
  const tokenPath = join(folder, 'token')
  if (host === '' || port === '' || !existsSync(tokenPath)) return undefined
  const read = (name: string): string | undefined => {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
  }
  const ca = read('ca.crt')
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    server: { url, tokenFile: tokenPath, ...(ca === undefined ? {} : { ca }) },
    namespace: read('namespace') ?? 'default',
  }
}
