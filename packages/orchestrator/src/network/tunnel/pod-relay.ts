// A way for nodes to the pods of other nodes: the apiserver joins a node's connection with one to a port of the pod, which it opens through
// the pod's node. So Services reach pods on machines that have no way to each other.
import type { Duplex } from 'node:stream'
import { badRequest } from '../../apiserver/api-errors.ts'
import type { NodeConnections } from '../../apiserver/node-connections.ts'
import type { Exchange } from '../../apiserver/wire/exchange.ts'
import { ApiError } from '../../client/api-client.ts'
import type { ApiServerAddress } from '../../client/http-transport.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { FramedStream } from './framed-stream.ts'
import { requestUpgrade } from './request-upgrade.ts'
import type { Seats } from './seats.ts'
import { type PodName, isRelayPath, relayPath, relayProtocol } from './tunnel-protocol.ts'

export interface RelayTarget {
  readonly nodeName: string
  readonly pod: PodName
  readonly port: number
}

/** What the methods of a NodeConnection read of a pod. */
export const podOf = ({ namespace, name, uid }: PodName): Stored<KubeObject> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, uid, resourceVersion: '', creationTimestamp: '' },
})

/** Rejects with ApiError or ConnectionError. */
export const dialThroughServer = async (
  server: ApiServerAddress,
  { nodeName, pod, port }: RelayTarget,
): Promise<Duplex> => {
  const path = relayPath(nodeName, pod, port)
  return new FramedStream(await requestUpgrade(server, { path, protocol: relayProtocol }))
}

/** From the apiserver itself. */
export const dialFromServer = async (
  nodes: NodeConnections,
  { nodeName, pod, port }: RelayTarget,
): Promise<Duplex> => {
  const node = nodes.get(nodeName)
  if (node.dial === undefined) throw new Error(`node ${nodeName} serves no ports`)
  return node.dial(podOf(pod), port)
}

/** Of one who asks. */
export const relaysPerUserMax = 1000

/** False: the request is for something else. Rejects with ApiError where the pod cannot be reached, or with TooManyRequests. */
export const acceptRelay = async (
  exchange: Exchange,
  nodes: NodeConnections,
  seats: Seats,
): Promise<boolean> => {
  if (!isRelayPath(exchange.path)) return false
  if (!exchange.isUpgrade || exchange.header('upgrade').toLowerCase() !== relayProtocol)
    throw badRequest('Upgrade request required')
  const [nodeName = '', namespace = '', name = '', uid = '', port = ''] = exchange.path
    .split('/')
    .filter((_part, index) => index === 4 || index > 5)
  const pod: PodName = { namespace, name, uid }
  exchange.onEnd(seats.take(exchange.user.name))
  let far: Duplex
  try {
    far = await dialFromServer(nodes, { nodeName, pod, port: Number(port) })
  } catch (reason) {
    const text = reason instanceof Error ? reason.message : String(reason)
    throw new ApiError(503, 'ServiceUnavailable', text)
  }
  if (exchange.isClosed) {
    far.destroy()
    return true
  }
  const { socket, head } = exchange.takeSocket()
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${relayProtocol}\r\n\r\n`,
  )
  if (head.length > 0) socket.unshift(head)
  const near = new FramedStream(socket)
  far.on('error', () => near.destroy())
  near.once('close', () => far.destroy())
  far.once('close', () => {
    // What came is passed on first.
    if (!near.writableEnded) near.destroy()
  })
  near.pipe(far)
  far.pipe(near)
  return true
}
