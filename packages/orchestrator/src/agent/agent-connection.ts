// What an agent serves of its pods to the apiserver: logs, commands, streams of containers, ports.
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type {
  CommandStreams,
  NodeConnection,
  NodeStats,
  PodLogOptions,
} from '../apiserver/node-connections.ts'
import { ApiError } from '../client/api-client.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import type { Container } from '../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../resources/pod.ts'
import { removeClaimedFolder } from './config/claimed-volume.ts'
import { readLog } from './logs/log-reader.ts'
import type { ContainerRun } from './pod/container-run.ts'
import type { PodWorker } from './pod/pod-worker.ts'
import type { Runtime } from './runtime/runtime.ts'
import { NodeSampler } from './stats/node-sampler.ts'
import { attachRun } from './streams/attach-run.ts'
import { execCommand } from './streams/exec-command.ts'

const dialTimeoutMs = 10_000

export class AgentConnection implements NodeConnection {
  readonly #workers: ReadonlyMap<string, PodWorker>
  readonly #runtime: Runtime
  readonly #sampler: NodeSampler
  readonly #dataDir: string

  constructor(workers: ReadonlyMap<string, PodWorker>, runtime: Runtime, dataDir: string) {
    this.#dataDir = dataDir
    this.#workers = workers
    this.#sampler = new NodeSampler(() => [...workers.values()].map((worker) => worker.sampled()))
    this.#runtime = runtime
  }

  async *readLog(
    { metadata }: Stored<KubeObject>,
    options: PodLogOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { container, previous } = options
    const worker = this.#workers.get(metadata.uid)
    const log = worker?.log(container, previous)
    if (log === undefined) {
      throw new ApiError(
        400,
        'BadRequest',
        previous
          ? `previous terminated container "${container}" in pod "${metadata.name}" not found`
          : `container "${container}" in pod "${metadata.name}" is waiting to start: ${whyWaiting(worker?.pod, container)}`,
      )
    }
    yield* readLog(log.path, options, log.writer, signal)
  }

  removeVolume(path: string): Promise<void> {
    return removeClaimedFolder(this.#dataDir, path)
  }

  async exec(
    pod: Stored<KubeObject>,
    { container, command }: { readonly container: string; readonly command: readonly string[] },
    streams: CommandStreams,
  ): Promise<number> {
    const { run } = this.#running(pod, container)
    return execCommand(this.#runtime, { ...run.spec, argv: command }, streams)
  }

  async attach(
    pod: Stored<KubeObject>,
    options: { readonly container: string },
    streams: CommandStreams,
  ): Promise<void> {
    const { run, container } = this.#running(pod, options.container)
    await attachRun(run, container, streams)
  }

  async dial({ metadata }: Stored<KubeObject>, port: number): Promise<Duplex> {
    const host = this.#workers.get(metadata.uid)?.address
    if (host === undefined) throw new Error(`pod ${metadata.name} is not on this node`)
    const socket = connect({ host, port, allowHalfOpen: true, timeout: dialTimeoutMs })
    return new Promise((resolve, reject) => {
      socket.once('connect', () => {
        socket.setTimeout(0)
        socket.removeAllListeners('error')
        resolve(socket)
      })
      socket.once('timeout', () => {
        socket.destroy(new Error('i/o timeout'))
      })
      socket.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message
        reject(new Error(`dial tcp4 ${host}:${port}: ${why}`, { cause: error }))
      })
    })
  }

  stats(): Promise<NodeStats> {
    return this.#sampler.stats()
  }

  #running(pod: Stored<KubeObject>, name: string): { container: Container; run: ContainerRun } {
    const found = this.#workers.get(pod.metadata.uid)?.running(name)
    if (found !== undefined) return found
    throw new ApiError(404, 'NotFound', `container not found ("${name}")`)
  }
}

/** As a kubelet says it of logs that are not there yet. */
const pullTexts: ReadonlyMap<string, string> = new Map([
  ['ErrImagePull', "image can't be pulled"],
  ['ImagePullBackOff', 'trying and failing to pull image'],
])

const whyWaiting = (pod: Stored<Pod> | undefined, container: string): string => {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = pod?.status ?? {}
  const found = [
    ...containerStatuses,
    ...initContainerStatuses,
    ...ephemeralContainerStatuses,
  ].find(({ name }) => name === container)
  const reason = found?.state.waiting?.reason ?? 'ContainerCreating'
  return pullTexts.get(reason) ?? reason
}
