// The apiserver: registries over a Store, served over TLS on one port (HTTP/2 and HTTP/1.1), with the cluster's own certificates.
import type { Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { ApiClient } from '../client/api-client.ts'
import { LocalApiClient } from '../client/local-api-client.ts'
import { eventTtlSeconds, resourceTypes } from '../resources/index.ts'
import { configMapType } from '../resources/config-map.ts'
import type { ResourceType } from '../resources/object.ts'
import { serviceCidrType } from '../resources/networking/service-cidr.ts'
import { Metrics } from '../metrics/metrics.ts'
import { MeteredStore, observeObjects } from './metrics/storage-metrics.ts'
import { priorityClassType } from '../resources/scheduling/priority-class.ts'
import { storageClassType } from '../resources/storage/storage-class.ts'
import { compactPeriodically } from './compactor.ts'
import { type Certificates, openCertificates } from './pki/certificates.ts'
import { kubeconfigText } from './pki/kubeconfig.ts'
import { replaceFile } from './pki/replace-file.ts'
import { reachableAddress, reachableUrl } from '../network/host-address.ts'
import type { ServedKinds } from '../loop/controller.ts'
import { NodeConnections } from './node-connections.ts'
import { publishClusterInfo } from './registry/cluster-info.ts'
import { Registries } from './registry/registries.ts'
import type { User } from './access/user.ts'
import {
  createKubernetesService,
  createServiceCidr,
  createStandardStorageClass,
  createSystemNamespaces,
  createSystemPriorityClasses,
} from './registry/system-objects.ts'
import type { Store } from './store.ts'
import { ApiDispatcher, virtualResources } from './wire/api-dispatcher.ts'
import { type AccessOptions, openAccessControl } from './access/access-control.ts'
import { ensureBootstrapPolicy } from './access/rbac/ensure-policy.ts'
import { customResourceDefinitionType } from '../resources/custom/custom-resource-definition.ts'
import { apiServiceType } from '../resources/aggregation/api-service.ts'
import { Aggregation } from './aggregation/aggregation.ts'
import { publishExtensionAuthentication } from './aggregation/extension-authentication.ts'
import { CustomResources } from './custom/custom-resources.ts'
import { createApiListener } from './wire/api-listener.ts'
import { RequestPipeline } from './wire/request-pipeline.ts'

export interface ApiServerOptions {
  /** Stays open when the server is closed. */
  readonly store: Store
  /** `https://HOST:PORT`; port 0 picks a free one. */
  readonly url: string
  /** Certificates and kubeconfig are kept here. */
  readonly dataDir: string
  /** Left out: all that Balsa knows. */
  readonly types?: readonly ResourceType[]
  readonly access?: AccessOptions
  /** Told of failures that no client is told of in full. */
  readonly onError?: (error: Error) => void
}

export interface ApiServer {
  readonly url: string
  /** A kubeconfig of the administrator, mode 0600. */
  readonly kubeconfigPath: string
  readonly certificates: Certificates
  /** In-process, as system:apiserver, with all rights. */
  readonly client: ApiClient
  /** In-process, with the rights that `user` has. */
  clientAs(user: User): ApiClient
  /** What is served; changes as users bring kinds. */
  readonly kinds: ServedKinds
  /** Every version of every kind that is served now. */
  types(): readonly ResourceType[]
  /** What /metrics shows; whoever works for the cluster counts here too. */
  readonly metrics: Metrics
  /** Agents register here how their node's pods are reached. */
  readonly nodes: NodeConnections
  close(): Promise<void>
}

export const startApiServer = async (options: ApiServerOptions): Promise<ApiServer> => {
  const { store, dataDir } = options
  const onError = options.onError ?? ((): undefined => undefined)
  const asked = new URL(options.url)
  const certificates = await openCertificates(dataDir, asked.hostname)
  const metrics = new Metrics()
  const registries = new Registries({
    store: new MeteredStore(store, metrics),
    types: options.types ?? resourceTypes,
    ttlSeconds: { events: eventTtlSeconds },
    onWatchRestart: onError,
    access: () => access,
  })
  observeObjects(metrics, registries)
  const nodes = new NodeConnections()
  const rootCertificate = certificates.ca.certificate
  const place = { dataDir, rootCertificate, onError }
  const access = await openAccessControl(registries, place, options.access ?? {})
  const client = new LocalApiClient(registries)
  const custom =
    registries.find(customResourceDefinitionType) === undefined
      ? undefined
      : new CustomResources({ registries, client, onError })
  const aggregation =
    registries.find(apiServiceType) === undefined
      ? undefined
      : new Aggregation({
          registries,
          client,
          virtual: virtualResources,
          frontProxy: () => certificates.frontProxy(),
          onError,
        })
  const dispatcher = new ApiDispatcher({
    registries,
    aggregation,
    nodes,
    pipeline: new RequestPipeline(access),
    access,
    metrics,
    serverAddress: () => new URL(url).host,
    onInternalError: onError,
  })
  const server = createApiListener(certificates, dispatcher)
  const sockets = trackSockets(server)
  let url = asked.origin
  let stopCompacting = (): void => undefined
  let published: Promise<void> = Promise.resolve()
  const close = async (): Promise<void> => {
    stopCompacting()
    await published
    await custom?.close()
    await aggregation?.close()
    await access.close()
    registries.close()
    await closeServer(server, sockets)
  }
  try {
    // The port first: a start that cannot have it should fail before anything is written.
    const bound = await listen(server, asked)
    url = `https://${asked.hostname}:${bound.port}`
    await registries.start()
    await custom?.start()
    await createSystemNamespaces(client)
    if (registries.find(priorityClassType) !== undefined) await createSystemPriorityClasses(client)
    if (registries.find(storageClassType) !== undefined) await createStandardStorageClass(client)
    if (registries.find(serviceCidrType) !== undefined) await createServiceCidr(client)
    await Promise.all([ensureBootstrapPolicy(client), aggregation?.start()])
    const host = reachableAddress(bound.address)
    await createKubernetesService(client, { host, port: bound.port })
    if (registries.find(configMapType) !== undefined)
      await publishClusterInfo(client, { url: reachableUrl(url), authority: rootCertificate })
    stopCompacting = compactPeriodically(store, onError)
    // Nobody who starts needs it at once, and keys take a while to make.
    published = publishExtensionAuthentication(client, certificates).catch(onError)
    const kubeconfigPath = join(dataDir, 'kubeconfig')
    const kubeconfig = kubeconfigText({
      url,
      ca: certificates.ca.certificate,
      client: certificates.admin,
    })
    await replaceFile(kubeconfigPath, kubeconfig, 0o600)
    const { clientAs } = access
    const kinds: ServedKinds = {
      list: () => registries.stored.map((registry) => registry.type),
      onChange: (listener) => {
        registries.onTypesChange(listener)
      },
    }
    const types = (): readonly ResourceType[] => registries.types
    const clients = { client, clientAs }
    return { url, kubeconfigPath, certificates, ...clients, kinds, types, metrics, nodes, close }
  } catch (reason) {
    await close()
    throw reason
  }
}

const listen = async (server: Server, url: URL): Promise<AddressInfo> => {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? 443 : Number(url.port)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenError(error, url))
    })
    server.listen({ host, port }, resolve)
  })
  return server.address() as AddressInfo
}

const listenError = (error: NodeJS.ErrnoException, url: URL): Error => {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use: stop what uses it or choose another port',
    EACCES: 'this user may not listen there: choose a port above 1023',
    EADDRNOTAVAIL: 'this machine has no such address: choose one of its own, such as 127.0.0.1',
    ENOTFOUND: 'the host name is unknown: choose an address of this machine, such as 127.0.0.1',
  }
  const text = advice[error.code ?? ''] ?? error.message
  return new Error(`--api-url ${url.origin}: ${text}`, { cause: error })
}

const trackSockets = (server: Server): ReadonlySet<Socket> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}

/** Watches are open for as long as their clients like, so connections are cut, not waited for. */
const closeServer = async (server: Server, sockets: ReadonlySet<Socket>): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  for (const socket of sockets) socket.destroy()
  await closed
}
