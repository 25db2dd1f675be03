// A whole Kubernetes cluster in this process, over any Store: apiserver, controllers, scheduler, agents. `balsa up` and tests start it.
import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent } from './agent/agent.ts'
import { startApiServer } from './apiserver/api-server.ts'
import { MemoryStore } from './apiserver/memory-store.ts'
import type { Store } from './apiserver/store.ts'
import type { ApiClient } from './client/api-client.ts'
import { startControllers } from './controllers/start-controllers.ts'
import { startScheduler } from './scheduler/start-scheduler.ts'

export interface ClusterOptions {
  /** Where the objects live; closed with the cluster. Left out: in memory. */
  readonly store?: Store
  /** Certificates, kubeconfig, pods and logs. Left out: a temporary folder, removed at close. */
  readonly dataDir?: string
  /** Port 0 (the default) picks a free one. */
  readonly apiUrl?: string
  /** Nodes that run pods as processes; 1 unless given. */
  readonly agents?: number
}

export interface Cluster {
  readonly url: string
  /** Path of a kubeconfig with an admin's client certificate, mode 0600. */
  readonly kubeconfig: string
  readonly nodes: readonly string[]
  /** In-process, with all rights. */
  readonly client: ApiClient
  close(): Promise<void>
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const isTemporary = options.dataDir === undefined
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'balsa-')))
  const parts: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.close()
    if (isTemporary) await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const store = options.store ?? new MemoryStore()
    parts.push(store)
    const server = await startApiServer({
      store,
      dataDir,
      url: options.apiUrl ?? 'https://127.0.0.1:0',
    })
    parts.push(server)
    const { client } = server
    parts.push(await startControllers({ client }), await startScheduler({ client }))
    const nodes = nodeNames(options.agents ?? 1)
    for (const nodeName of nodes) {
      parts.push(
        await startAgent({
          client,
          nodeName,
          dataDir: join(dataDir, 'agents', nodeName),
          stopPods: isTemporary,
          logs: server.logs,
        }),
      )
    }
    return { url: server.url, kubeconfig: server.kubeconfigPath, nodes, client, close }
  } catch (reason) {
    await close()
    throw reason
  }
}

/** One agent is called after the machine, as a kubelet is; several get a number. */
const nodeNames = (count: number): string[] => {
  const machine = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
  return Array.from({ length: count }, (_, index) =>
    count === 1 ? machine : `${machine}-${index + 1}`,
  )
}
