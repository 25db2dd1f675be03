// A member's native wire on a free port, without the rest of the client port.
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { createNativeServer } from '../../api/native/native-server.ts'
import type { MemberApi } from '../../member/types.ts'

export interface NativeListener {
  readonly endpoint: string
  /** Cuts every connection; the listener stays. */
  cut(): void
  close(): Promise<void>
}

export async function listenNative(member: MemberApi, port = 0): Promise<NativeListener> {
  const native = createNativeServer(member)
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => native.handleUpgrade(request, socket, head))
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    cut,
    async close(): Promise<void> {
      await native.close()
      cut()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}
