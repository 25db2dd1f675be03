// The native wire of one member: takes over the client port's WebSocket upgrades, tells its clients who leads, and drops the dead ones.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { MemberApi } from '../../member/types.ts'
import { connectionsMax, nativeVersion, requestFrameSizeBytesMax } from './native-protocol.ts'
import type { ServerMessage } from './native-protocol.ts'
import { NativeSession } from './native-session.ts'

export interface NativeServer {
  /** Owns the socket from here on. `commonName`: of its verified client certificate. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, commonName?: string): void
  /** Says goodbye to every client; resolves when all are gone. */
  close(): Promise<void>
}

/** How often the leader is compared with what clients were told, how often a silent client is pinged, how long goodbye may take. */
const leaderPollMs = 100
const pingIntervalMs = 15_000
const closeTimeoutMs = 500

export function createNativeServer(member: MemberApi): NativeServer {
  const sessions = new Set<NativeSession>()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: requestFrameSizeBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
  })
  let leader = member.leader()
  const leaderTimer = setInterval(() => {
    if (member.leader() === leader) return
    leader = member.leader()
    for (const session of sessions) session.greet()
  }, leaderPollMs)
  const pingTimer = setInterval(() => {
    for (const session of sessions) session.ping()
  }, pingIntervalMs)
  leaderTimer.unref()
  pingTimer.unref()

  return {
    handleUpgrade(request, socket, head, commonName): void {
      if (sessions.size >= connectionsMax) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
        return
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const session = new NativeSession(webSocket, {
          member,
          commonName,
          hello: (send) => sayHello(member, send),
        })
        sessions.add(session)
        webSocket.on('close', () => sessions.delete(session))
      })
    },
    async close(): Promise<void> {
      clearInterval(leaderTimer)
      clearInterval(pingTimer)
      for (const session of sessions) session.close()
      const deadline = performance.now() + closeTimeoutMs
      while (sessions.size > 0 && performance.now() < deadline) {
        await new Promise((resolve) => {
          setTimeout(resolve, 10)
        })
      }
      for (const session of sessions) session.terminate()
      server.close()
    },
  }
}

function sayHello(member: MemberApi, send: (message: ServerMessage) => void): void {
  member.memberList(false, (_error, list) => {
    const { clusterId, memberId } = member.header()
    const members = (list?.members ?? []).map(({ id, clientUrls }) => [id, clientUrls] as const)
    send([0, 'hello', nativeVersion, clusterId, memberId, member.leader(), members])
  })
}
