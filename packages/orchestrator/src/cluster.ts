// A whole Kubernetes cluster in this process, over any Store: apiserver, controllers, scheduler, agents. `balsa up` and tests start it.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent } from './agent/agent.ts'
import { machineName } from './agent/node/machine-name.ts'
import type { AccessOptions } from './apiserver/access/access-control.ts'
import { applyManifests } from './apply-manifests.ts'
import { componentUser } from './apiserver/access/user.ts'
import { startApiServer } from './apiserver/api-server.ts'
import { MemoryStore } from './apiserver/memory-store.ts'
import type { Store } from './apiserver/store.ts'
import type { ApiClient, ResourceRef } from './client/api-client.ts'
import { type ObjectName, Resource } from './client/resource.ts'
import { type WaitOptions, waitFor } from './client/wait-for.ts'
import { startControlPlane } from './control-plane.ts'
import { ServiceProxy } from './network/proxy/service-proxy.ts'
import { dialFromServer } from './network/tunnel/pod-relay.ts'
import { startFakeNodes, type FakeNodesOptions } from './fake/fake-nodes.ts'
import type { ElectionTimes } from './loop/leading.ts'
import type { KubeObject, Stored } from './resources/object.ts'

export interface ClusterOptions {
  /** Where the objects live; closed with the cluster. Left out: in memory. */
  readonly store?: Store
  /** Certificates, kubeconfig, pods and logs. Left out: a temporary folder, removed at close. */
  readonly dataDir?: string
  /** Port 0 (the default) picks a free one. */
  readonly apiUrl?: string
  /** Who is let in besides the administrator, and what is written down of requests. */
  readonly access?: AccessOptions
  /** Nodes that run pods as processes; 1 unless given. */
  readonly agents?: number
  /** Nodes that only say they run pods, for tests of scale; none unless given. */
  readonly fakeNodes?: Omit<FakeNodesOptions, 'client' | 'connections' | 'onError'>
  /**
   * Controllers and scheduler work only while this cluster holds their Leases in kube-system: for several on one store. Left out: it is
   * alone on its store.
   */
  readonly leaderElect?: boolean | ElectionTimes
  /** Told of what went wrong inside and is tried again; no client is told of it. */
  readonly onError?: (error: Error) => void
  /** At close, end the pods' processes. Else they run on, as under a kubelet that stops; in a temporary folder they are always ended. */
  readonly stopPods?: boolean
}

export interface Cluster {
  readonly url: string
  /** Path of a kubeconfig with an admin's client certificate, mode 0600. */
  readonly kubeconfig: string
  /** What is in that file, for clients that take a text. */
  readonly kubeconfigText: string
  readonly nodes: readonly string[]
  /** In-process, with all rights. */
  readonly client: ApiClient
  /** One kind, typed. */
  resource<T extends KubeObject>(ref: ResourceRef): Resource<T>
  /** Server-side apply of manifests, YAML or JSON, several documents; those without a namespace in `default`. To what is stored then. */
  apply(manifests: string): Promise<Stored<KubeObject>[]>
  /** Until the object is as `isDone` wants it (undefined: it is not there); 30 s at most unless `options` say otherwise. */
  waitFor<T extends KubeObject>(
    ref: ResourceRef,
    name: ObjectName,
    isDone: (object: Stored<T> | undefined) => boolean,
    options?: WaitOptions,
  ): Promise<Stored<T> | undefined>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const isTemporary = options.dataDir === undefined
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'balsa-')))
  const onError = (reason: unknown): void =>
    options.onError?.(reason instanceof Error ? reason : new Error(String(reason)))
  const parts: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.close()
    if (isTemporary) await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const store = options.store ?? new MemoryStore()
    parts.push(store)
    const url = options.apiUrl ?? 'https://127.0.0.1:0'
    const access = options.access ?? {}
    const server = await startApiServer({ store, dataDir, url, access, onError })
    parts.push(server)
    const { client, clientAs, nodes: connections } = server
    parts.push(await startControlPlane({ server, ...electionOf(options), onError }))
    const stopPods = isTemporary || options.stopPods === true
    const nodes = nodeNames(options.agents ?? 1)
    for (const nodeName of nodes) {
      const agent = { nodeName, dataDir: join(dataDir, 'agents', nodeName), stopPods }
      const kubelet = clientAs(componentUser(`system:node:${nodeName}`, ['system:nodes']))
      parts.push(await startAgent({ ...agent, client: kubelet, connections, onError }))
    }
    if (nodes.length > 0) {
      const own = new Set(nodes)
      parts.push(
        ServiceProxy.start({
          client: clientAs(componentUser('system:kube-proxy')),
          isOwnNode: (name) => own.has(name),
          dialFar: (target) => dialFromServer(connections, target),
          onError,
        }),
      )
    }
    if (options.fakeNodes !== undefined) {
      const fakes = await startFakeNodes({ ...options.fakeNodes, client, connections, onError })
      parts.push(fakes)
      nodes.push(...fakes.names)
    }
    return {
      url: server.url,
      kubeconfig: server.kubeconfigPath,
      kubeconfigText: await readFile(server.kubeconfigPath, 'utf8'),
      nodes,
      client,
      resource: (ref) => new Resource(client, ref),
      apply: (manifests) => applyManifests(client, server.types, manifests),
      waitFor: (ref, name, isDone, wait) => waitFor(client, ref, name, isDone, wait),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (reason) {
    await close()
    throw reason
  }
}

const electionOf = ({ leaderElect = false }: ClusterOptions): { election?: ElectionTimes } => {
  if (leaderElect === false) return {}
  return { election: leaderElect === true ? {} : leaderElect }
}

/** The first agent is called after the machine, as a kubelet is, however many there are: its pods stay its own when more come. */
const nodeNames = (count: number): string[] => {
  const machine = machineName()
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? machine : `${machine}-${index + 1}`,
  )
}
