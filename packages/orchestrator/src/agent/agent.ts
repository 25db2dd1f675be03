// The agent of one node: registers the Node, follows the pods bound to it and gives each a worker, clears away what pods left that are gone,
// and serves their logs. Pods outlive the agent; the next one finds them by their files.
import { mkdir } from 'node:fs/promises'
import type { NodeConnections } from '../apiserver/node-connections.ts'
import type { ApiClient } from '../client/api-client.ts'
import { ApiEventRecorder, referenceTo } from '../client/event-recorder.ts'
import { Informer } from '../client/informer.ts'
import { hostAddress } from '../network/host-address.ts'
import type { Stored } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import type { ApiAddress } from './config/config-source.ts'
import { AgentConnection } from './agent-connection.ts'
import { refusalOf, type Refusal } from './node/admit-pod.ts'
import { NodeRegistration } from './node/node-registration.ts'
import { clearOrphan } from './pod/clear-orphan.ts'
import { PodAddresses } from './pod/pod-address.ts'
import { loadPodRecord, PodFiles, podUids } from './pod/pod-files.ts'
import { PodWorker } from './pod/pod-worker.ts'
import { ProcessRuntime } from './runtime/process-runtime.ts'
import type { Runtime } from './runtime/runtime.ts'
import { MemoryLimits } from './stats/memory-limits.ts'

export interface AgentOptions {
  readonly client: ApiClient
  readonly nodeName: string
  /** Of this agent alone: pods, their volumes and logs. */
  readonly dataDir: string
  /** At close: end the pods' processes. Else they run on, as under a kubelet that stops. */
  readonly stopPods?: boolean
  /** Makes this node's pods known to the apiserver. */
  readonly connections?: Pick<NodeConnections, 'register'>
  readonly runtime?: Runtime
  /** Where pods reach the apiserver; left out: where the endpoints of the service `kubernetes` say. */
  readonly apiAddress?: ApiAddress
  readonly onError?: (error: unknown) => void
}
export interface Agent {
  close(): Promise<void>
}

/** Resolves when the node is registered and its pods are known. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const onError = options.onError ?? (() => undefined)
  const { client, nodeName, dataDir } = options
  const registration = await NodeRegistration.start({ client, nodeName, dataDir, onError })
  const agent = new PodAgent(options, registration.capacity, onError)
  try {
    await agent.start()
  } catch (reason) {
    await registration.close()
    throw reason
  }
  return {
    close: async () => {
      await agent.close()
      await registration.close()
    },
  }
}

class PodAgent {
  readonly #options: AgentOptions
  readonly #capacity: Readonly<Record<string, string>>
  readonly #onError: (error: unknown) => void
  readonly #runtime: Runtime
  readonly #pods: Informer<Pod>
  readonly #events: ApiEventRecorder
  readonly #workers = new Map<string, PodWorker>()
  readonly #addresses = new PodAddresses()
  readonly #memoryLimits: MemoryLimits
  #unregister: (() => void) | undefined
  #isClosed = false

  constructor(
    options: AgentOptions,
    capacity: Readonly<Record<string, string>>,
    onError: (error: unknown) => void,
  ) {
    this.#options = options
    this.#capacity = capacity
    this.#onError = onError
    this.#runtime = options.runtime ?? new ProcessRuntime()
    const { client, nodeName } = options
    this.#memoryLimits = new MemoryLimits(
      () => [...this.#workers.values()].flatMap((worker) => worker.limited()),
      onError,
    )
    this.#events = new ApiEventRecorder(client, { component: 'kubelet', host: nodeName }, onError)
    this.#pods = new Informer<Pod>({
      client,
      ref: podType,
      fieldSelector: `spec.nodeName=${nodeName}`,
      onError,
    })
  }

  async start(): Promise<void> {
    await this.#claimAddresses()
    this.#pods.onChange((_key, current, previous) => {
      if (previous !== undefined && previous.metadata.uid !== current?.metadata.uid)
        this.#workers.get(previous.metadata.uid)?.removed()
      if (current !== undefined) this.#sync(current)
    })
    this.#pods.start()
    await this.#pods.synced()
    await this.#clearOrphans()
    const { connections, nodeName, dataDir } = this.#options
    this.#unregister = connections?.register(
      nodeName,
      new AgentConnection(this.#workers, this.#runtime, dataDir),
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unregister?.()
    this.#memoryLimits.close()
    this.#pods.close()
    const isStopping = this.#options.stopPods ?? false
    await Promise.all([...this.#workers.values()].map((worker) => worker.close(isStopping)))
    await this.#events.close()
  }

  #sync(pod: Stored<Pod>): void {
    if (this.#isClosed) return
    const { uid, namespace = '', name } = pod.metadata
    const known = this.#workers.get(uid)
    if (known !== undefined) {
      known.update(pod)
      return
    }
    const refusal = this.#refusal(pod)
    if (refusal !== undefined) {
      this.#reject(pod, refusal).catch(this.#onError)
      return
    }
    const hostIp = hostAddress()
    const podIp = pod.spec.hostNetwork === true ? hostIp : this.#addresses.of(uid)
    const worker = new PodWorker(pod, {
      client: this.#options.client,
      events: this.#events,
      runtime: this.#runtime,
      files: new PodFiles(this.#options.dataDir, { uid, namespace, name }),
      podIp,
      hostIp,
      allocatable: this.#capacity,
      apiAddress: this.#options.apiAddress,
      onError: this.#onError,
      onRemoved: () => {
        this.#workers.delete(uid)
        this.#addresses.release(uid)
      },
    })
    this.#workers.set(uid, worker)
  }

  /** Of a pod that was bound past the scheduler and is here for the first time. */
  #refusal(pod: Stored<Pod>): Refusal | undefined {
    const { metadata, status } = pod
    if (status.phase !== 'Pending' || metadata.deletionTimestamp !== undefined) return undefined
    const active = [...this.#workers.values()].filter(({ isOver }) => !isOver)
    return refusalOf(
      pod,
      active.map((worker) => worker.pod),
      this.#capacity,
    )
  }

  async #reject(pod: Stored<Pod>, { reason, message: why }: Refusal): Promise<void> {
    this.#events.record({ regarding: referenceTo(pod), type: 'Warning', reason, message: why })
    const message = `Pod was rejected: ${why}`
    const status = { ...pod.status, phase: 'Failed' as const, reason, message }
    await this.#options.client.update<Pod>(podType, { ...pod, status }, 'status')
  }

  /** Pods keep the address they have, whoever comes first after a restart. */
  async #claimAddresses(): Promise<void> {
    for (const uid of await podUids(this.#options.dataDir)) {
      const record = await loadPodRecord(this.#options.dataDir, uid)
      if (record !== undefined) this.#addresses.claim(uid, record.podIp)
    }
  }

  async #clearOrphans(): Promise<void> {
    const { dataDir } = this.#options
    for (const uid of await podUids(dataDir)) {
      if (this.#workers.has(uid)) continue
      const { namespace, name } = (await loadPodRecord(dataDir, uid)) ?? { namespace: '', name: '' }
      await clearOrphan(new PodFiles(dataDir, { uid, namespace, name }), this.#runtime)
      this.#addresses.release(uid)
    }
  }
}
