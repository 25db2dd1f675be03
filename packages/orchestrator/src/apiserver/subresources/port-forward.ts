// pods/NAME/portforward: connections of a client carried to ports of a pod. Over SPDY, directly or inside of WebSocket messages, each
// connection is a pair of streams, one for data and one for the error; over channels each port asked for is a pair of channels.
import type { Duplex } from 'node:stream'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { badRequest, internalError, methodNotAllowed } from '../api-errors.ts'
import { ChannelSocket, channelProtocols } from '../streaming/channel-socket.ts'
import { SpdyConnection, type SpdyStream } from '../streaming/spdy-connection.ts'
import { byteStream, upgradeKind, upgradeToSpdy, upgradeToWebSocket } from '../streaming/upgrade.ts'
import type { Exchange } from '../wire/exchange.ts'
import { nodeOf } from './pod-container.ts'
import type { SubresourceRequest } from './subresource-table.ts'

const spdyProtocol = 'portforward.k8s.io'
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'
const methods = new Set(['GET', 'POST'])
const portMax = 65_535
const portsMax = 100
/** For the other stream of a pair. */
const pairTimeoutMs = 30_000

interface Target {
  readonly uid: string
  dial(port: number): Promise<Duplex>
}

export const handlePortForward = async ({
  exchange,
  registry,
  place,
  nodes,
}: SubresourceRequest): Promise<void> => {
  if (!methods.has(exchange.method)) throw methodNotAllowed()
  const pod = (await registry.get(place)).object
  const target = targetOf(pod, nodes.get(nodeOf(pod)))
  if (upgradeKind(exchange) === 'spdy') {
    const { transport } = upgradeToSpdy(exchange, [spdyProtocol])
    await forwardStreams(transport, target)
    return
  }
  const ports = portsAsked(exchange)
  const known = [tunnelProtocol, ...channelProtocols]
  const { socket, protocol } = await upgradeToWebSocket(exchange, known)
  if (protocol === tunnelProtocol) await forwardStreams(byteStream(socket), target)
  else await forwardChannels(new ChannelSocket(socket, protocol, ports.length * 2), ports, target)
}

const targetOf = (
  pod: Stored<KubeObject>,
  node: { dial?(pod: Stored<KubeObject>, port: number): Promise<Duplex> },
): Target => {
  const dial = node.dial?.bind(node)
  if (dial === undefined) throw internalError('the node does not serve port-forward')
  return { uid: pod.metadata.uid, dial: (port) => dial(pod, port) }
}

const parsePort = (text: string): number | undefined => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= portMax ? port : undefined
}

/** Of clients that speak by channels; those of SPDY name the port with each stream. */
const portsAsked = ({ query }: Exchange): number[] => {
  const texts = query.getAll('ports').flatMap((text) => text.split(','))
  if (texts.length > portsMax) throw badRequest('too many ports')
  return texts.map((text) => {
    const port = parsePort(text)
    if (port === undefined) throw badRequest(`${JSON.stringify(text)} is not a valid port`)
    return port
  })
}

/** Resolves when the client has gone. */
const forwardStreams = async (transport: Duplex, target: Target): Promise<void> => {
  const waiting = new Map<string, SpdyStream>()
  const connection = new SpdyConnection(transport, (stream) => {
    const { headers } = stream
    const port = parsePort(headers.get('port') ?? '')
    const type = headers.get('streamtype')
    if (port === undefined || (type !== 'data' && type !== 'error')) {
      stream.destroy()
      return
    }
    const id = `${headers.get('requestid') ?? stream.id} ${port}`
    const other = waiting.get(id)
    if (other === undefined || other.headers.get('streamtype') === type) {
      waitForOther(waiting, id, stream)
      return
    }
    waiting.delete(id)
    const [data, error] = type === 'data' ? [stream, other] : [other, stream]
    void forward(target, port, { data, error })
  })
  await connection.closed
}

const waitForOther = (waiting: Map<string, SpdyStream>, id: string, stream: SpdyStream): void => {
  waiting.get(id)?.destroy()
  waiting.set(id, stream)
  const giveUp = setTimeout(() => {
    if (waiting.get(id) === stream) stream.destroy()
  }, pairTimeoutMs)
  stream.once('close', () => {
    clearTimeout(giveUp)
    if (waiting.get(id) === stream) waiting.delete(id)
  })
}

/** Each channel begins with its port as two bytes, the lower one first. */
const forwardChannels = async (
  channels: ChannelSocket,
  ports: readonly number[],
  target: Target,
): Promise<void> => {
  const forwards = ports.map(async (port, index) => {
    const data = channels.channel(index * 2)
    const error = channels.channel(index * 2 + 1)
    for (const channel of [data, error]) channel.write(Buffer.from([port & 0xff, port >>> 8]))
    await forward(target, port, { data, error })
  })
  await Promise.race([Promise.all(forwards), channels.closed])
  channels.end()
  await channels.closed
}

/** Never rejects. Resolves when both directions are over. */
const forward = async (
  { uid, dial }: Target,
  port: number,
  { data, error }: { readonly data: Duplex; readonly error: Duplex },
): Promise<void> => {
  let socket: Duplex
  try {
    socket = await dial(port)
  } catch (reason) {
    const text = reason instanceof Error ? reason.message : String(reason)
    error.end(`error forwarding port ${port} to pod ${uid}, uid : ${text}`)
    data.end()
    return
  }
  // Whoever breaks off, the other side is told by its end.
  const close = (): void => {
    socket.destroy()
    data.end()
    error.end()
  }
  socket.on('error', close)
  data.on('close', close)
  await new Promise<void>((resolve) => {
    socket.once('close', resolve)
    data.pipe(socket)
    socket.pipe(data)
  })
  close()
}
