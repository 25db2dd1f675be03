// The tunnel from an agent to an apiserver: the agent connects, asks for an upgrade, and is from then on the server of an HTTP/2 session in
// which the apiserver makes the calls. So agents need no port, and work from behind what lets connections out but not in.
import type { Http2Session, Settings } from 'node:http2'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { PodLogOptions } from '../../apiserver/node-connections.ts'

/** In the header `Upgrade`. */
export const tunnelProtocol = 'balsa-node/1'
/** Of a call: its arguments as JSON, in base64url. */
export const argumentsHeader = 'balsa-arguments'

export const tunnelPath = (nodeName: string): string =>
  `/balsa/v1/nodes/${encodeURIComponent(nodeName)}/tunnel`

/** The node of a tunnel's path; undefined: another path. */
export const nodeOfTunnelPath = (path: string): string | undefined => {
  const name = /^\/balsa\/v1\/nodes\/([\w.%-]{1,253})\/tunnel$/.exec(path)?.[1]
  return name === undefined || name.includes('%') ? undefined : name
}

/** In the header `Upgrade`, of a node that wants a port of a pod on another one. */
export const relayProtocol = 'balsa-pod/1'

export const relayPath = (nodeName: string, pod: PodName, port: number): string =>
  `/balsa/v1/nodes/${nodeName}/pods/${pod.namespace}/${pod.name}/${pod.uid}/${port}`

export const isRelayPath = (path: string): boolean =>
  /^\/balsa\/v1\/nodes\/[\w.-]{1,253}\/pods(?:\/[\w.-]{1,253}){3}\/\d{1,5}$/.test(path)

/** All that an agent needs to find a pod; it knows the rest better. */
export interface PodName {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface LogCall {
  readonly pod: PodName
  readonly options: PodLogOptions
}
export interface CommandCall {
  readonly pod: PodName
  readonly container: string
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}
export interface DialCall {
  readonly pod: PodName
  readonly port: number
}
export interface VolumeCall {
  readonly path: string
}

/** How a call went, in its last frame. */
export interface CallResult {
  readonly exitCode?: number
  readonly value?: unknown
  readonly error?: CallError
}
export interface CallError {
  /** 0: no answer of the API, but a failure of the node. */
  readonly code: number
  readonly reason: string
  readonly message: string
}

export const podNameOf = ({ metadata }: Stored<KubeObject>): PodName => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  uid: metadata.uid,
})

const pingMs = 15_000
const streamsMax = 1000
const windowBytes = 256 * 1024
/** Streams whose readers are slow must not hold up the others. */
const sessionWindowBytes = 16 * 1024 * 1024
export const sessionMemoryMegabytesMax = 64
export const tunnelSettings: Settings = {
  maxConcurrentStreams: streamsMax,
  initialWindowSize: windowBytes,
  enablePush: false,
}

/** Ends a session whose other side has fallen silent. */
export const keepAlive = (session: Http2Session): void => {
  session.setLocalWindowSize(sessionWindowBytes)
  let isWaiting = false
  const timer = setInterval(() => {
    if (isWaiting || session.destroyed) {
      session.destroy()
      return
    }
    isWaiting = true
    session.ping((error) => {
      // A session that broke is closed already.
      if (error === null) isWaiting = false
    })
  }, pingMs)
  timer.unref()
  session.once('close', () => clearInterval(timer))
}
