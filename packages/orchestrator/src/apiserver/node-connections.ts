// How the apiserver reaches the pods of a node: each agent registers a connection for its node, and the subresources of pods and
// nodes ask the connection of the pod's node. An agent in another process registers by its address later; the port stays the same.
import type { Duplex, Readable, Writable } from 'node:stream'
import type { KubeObject, Stored } from '../resources/object.ts'
import { internalError } from './api-errors.ts'

export interface PodLogOptions {
  readonly container: string
  readonly follow: boolean
  /** The log of the container's last instance before the current one. */
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  /** Epoch milliseconds; older lines are left out. */
  readonly sinceMs: number | undefined
  readonly limitBytes: number | undefined
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** The client's ends of a command's streams; one that was not asked for is undefined. */
export interface CommandStreams {
  /** Ends when the client closes its input. */
  readonly stdin: Readable | undefined
  readonly stdout: Writable | undefined
  /** With a terminal all output comes on stdout. */
  readonly stderr: Writable | undefined
  readonly tty: boolean
  /** Called with each size the client's terminal takes, the last one known first. */
  onResize(listener: (size: TerminalSize) => void): void
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
}

/** Resource use of one container at one moment. */
export interface ContainerStats {
  readonly name: string
  /** Since its start. */
  readonly cpuNanoseconds: number
  /** Over the last window. */
  readonly cpuNanocores: number
  readonly memoryBytes: number
}
export interface PodStats {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly startedAtMs: number
  readonly containers: readonly ContainerStats[]
}
export interface NodeStats {
  /** Epoch milliseconds of the last sample. */
  readonly sampledAtMs: number
  readonly windowMs: number
  readonly startedAtMs: number
  readonly cpuNanoseconds: number
  readonly cpuNanocores: number
  readonly memoryBytes: number
  readonly memoryAvailableBytes: number
  readonly pods: readonly PodStats[]
}

type AnyPod = Stored<KubeObject>

/** What a node serves of its pods; what it lacks is answered as not supported. Rejections are ApiError or failures of the node. */
export interface NodeConnection {
  /**
   * The log as text chunks, ending when it is complete or, with `follow`, when the container ended. Rejects with ApiError
   * (BadRequest) where there is no such log. Aborting `signal` ends the iteration and frees what it holds.
   */
  readLog(pod: AnyPod, options: PodLogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Runs a command beside a container, in its environment. Resolves to its exit code when it has ended and its output is written. */
  exec?(
    pod: AnyPod,
    options: { readonly container: string; readonly command: readonly string[] },
    streams: CommandStreams,
  ): Promise<number>
  /** The streams of a running container itself, until it ends or the client goes. */
  attach?(
    pod: AnyPod,
    options: { readonly container: string },
    streams: CommandStreams,
  ): Promise<void>
  /** A connection to a port of the pod, open already. */
  dial?(pod: AnyPod, port: number): Promise<Duplex>
  /** What its pods use now. */
  stats?(): Promise<NodeStats>
  /** Removes the folder of a local volume that nobody claims any more; being gone already is fine. */
  removeVolume?(path: string): Promise<void>
}

/** The connections by node name; a later registration of a node takes the place of an earlier one. */
export class NodeConnections {
  readonly #connections = new Map<string, NodeConnection>()

  /** Returns the function that takes it back. */
  register(nodeName: string, connection: NodeConnection): () => void {
    this.#connections.set(nodeName, connection)
    return () => {
      if (this.#connections.get(nodeName) === connection) this.#connections.delete(nodeName)
    }
  }

  find(nodeName: string): NodeConnection | undefined {
    return this.#connections.get(nodeName)
  }

  /** Throws ApiError InternalError when no agent of the node is connected. */
  get(nodeName: string): NodeConnection {
    const connection = this.find(nodeName)
    if (connection === undefined) throw internalError(`no agent of node ${nodeName} is connected`)
    return connection
  }

  get names(): readonly string[] {
    return [...this.#connections.keys()]
  }
}
