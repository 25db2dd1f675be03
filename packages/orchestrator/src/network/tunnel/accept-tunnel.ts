// Takes the upgrade of an agent and makes its node reachable for as long as the tunnel stands.
import { connect } from 'node:http2'
import type { Duplex } from 'node:stream'
import { badRequest } from '../../apiserver/api-errors.ts'
import type { NodeConnections } from '../../apiserver/node-connections.ts'
import type { Exchange } from '../../apiserver/wire/exchange.ts'
import { RemoteNode } from './remote-node.ts'
import type { Seats } from './seats.ts'
import {
  keepAlive,
  nodeOfTunnelPath,
  sessionMemoryMegabytesMax,
  tunnelProtocol,
  tunnelSettings,
} from './tunnel-protocol.ts'

/** One is used; the others are of an agent that came back before it was known to be gone. */
export const tunnelsPerNodeMax = 8

/** False: the request is for something else. Throws ApiError: BadRequest where it asks for no tunnel, TooManyRequests. */
export const acceptTunnel = (exchange: Exchange, nodes: NodeConnections, seats: Seats): boolean => {
  const name = nodeOfTunnelPath(exchange.path)
  if (name === undefined) return false
  if (!exchange.isUpgrade || exchange.header('upgrade').toLowerCase() !== tunnelProtocol)
    throw badRequest('Upgrade request required')
  const leave = seats.take(`node ${name}`)
  const { socket, head } = exchange.takeSocket()
  socket.once('close', leave)
  if (head.length > 0) {
    // The agent speaks when it is spoken to.
    socket.destroy()
    return true
  }
  const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${tunnelProtocol}\r\n\r\n`
  socket.write(answer, () => {
    // Not before: the session takes the connection over from below, where nothing of ours may be under way any more.
    if (!socket.destroyed) openSession(socket, name, nodes)
  })
  return true
}

const openSession = (socket: Duplex, name: string, nodes: NodeConnections): void => {
  const session = connect('http://node', {
    createConnection: () => socket,
    settings: tunnelSettings,
    maxSessionMemory: sessionMemoryMegabytesMax,
  })
  session.on('error', () => undefined)
  session.once('connect', () => keepAlive(session))
  const unregister = nodes.register(name, new RemoteNode(session, name))
  session.once('close', unregister)
}
