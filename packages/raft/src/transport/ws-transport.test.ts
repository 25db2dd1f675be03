import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { NodeId } from '../core/types.ts'
import type { SnapshotStream, StreamPosition } from '../node/ports.ts'
import { waitFor } from '../node/testing/test-members.ts'
import { encodeFrame } from './encode-frame.ts'
import { handshakeHeaders, messagesPath, snapshotPath } from './handshake.ts'
import { queuedMessagesMax } from './outgoing-queue.ts'
import { encodeHeading } from './snapshot-frames.ts'
import {
  a,
  append,
  b,
  closeTransports,
  heartbeat,
  meta,
  start,
  startPair,
} from './testing/transports.ts'

afterEach(closeTransports)

describe('messages', () => {
  test('arrive as they were sent, small ones before those with payloads', async () => {
    const { from, to } = await startPair()
    from.send([append(1, 20_000), append(2, 20_000), append(3, 10), heartbeat(1)])
    await waitFor(() => to.messages.length === 4)
    expect(to.messages).toEqual([heartbeat(1), append(1, 20_000), append(2, 20_000), append(3, 10)])
  })

  test('are lost, and the peer is reported, while it is away; later ones arrive', async () => {
    const receiver = await start(b)
    const sender = await start(a)
    sender.transport.setPeers(new Map([[b, receiver.url]]))
    sender.transport.send([heartbeat(1)])
    await waitFor(() => receiver.recorder.messages.length === 1)
    const port = Number(new URL(receiver.url).port)
    await receiver.transport.close()
    await waitFor(() => sender.recorder.unreachables.length > 0)
    const again = await start(b, { listen: { port } })
    let sequence = 2
    await waitFor(() => {
      sender.transport.send([heartbeat(sequence++)])
      return again.recorder.messages.length > 0
    })
    expect(again.recorder.messages[0]).toMatchObject({ type: 'heartbeat', from: a, to: b })
    expect(sender.recorder.connections).toEqual([b, b])
  })

  test('that do not fit the queue are dropped and reported', async () => {
    const receiver = await start(b)
    const sender = await start(a)
    sender.transport.setPeers(new Map([[b, receiver.url]]))
    sender.transport.send(Array.from({ length: queuedMessagesMax + 1 }, (_, i) => heartbeat(i)))
    await waitFor(() => sender.recorder.unreachables.includes(b))
    await waitFor(() => receiver.recorder.messages.length === queuedMessagesMax)
  })

  test('are served beside other upgrades and requests of a given server', async () => {
    const server = createServer((_request, response) => response.end('other'))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const receiver = await start(b, { server })
    const sender = await start(a)
    sender.transport.setPeers(new Map([[b, `http://127.0.0.1:${port}`]]))
    sender.transport.send([heartbeat(7)])
    await waitFor(() => receiver.recorder.messages.length === 1)
    expect(await (await fetch(`http://127.0.0.1:${port}/x`)).text()).toBe('other')
    await receiver.transport.close()
    server.close()
    server.closeAllConnections()
  })
})

describe('a peer of protocol version 1', () => {
  const numbered = { ...heartbeat(3), number: 9 }

  test('that connects is heard in its version', async () => {
    const { recorder, url } = await start(b)
    const headers = {
      'balsa-protocol': '1',
      'balsa-cluster': 'c',
      'balsa-from': a,
      'balsa-to': b,
    }
    const socket = new WebSocket(url.replace('http', 'ws') + messagesPath, { headers })
    socket.on('open', () => {
      socket.send(encodeFrame([numbered], 1))
    })
    await waitFor(() => recorder.messages.length === 1)
    expect(recorder.messages).toEqual([heartbeat(3)])
    socket.terminate()
  })

  test('that is connected to sees what it knows, and gets frames of its version on one connection', async () => {
    const frames: Buffer[] = []
    const seen: string[] = []
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      verifyClient: ({ req }: { readonly req: IncomingMessage }) => {
        seen.push(`${String(req.headers['balsa-protocol'])} ${req.url}`)
        return req.headers['balsa-protocol'] === '1'
      },
    })
    server.on('connection', (socket) => {
      socket.on('message', (data) => frames.push(data as Buffer))
    })
    await waitFor(() => server.address() !== null)
    const { port } = server.address() as AddressInfo
    const sender = await start(a)
    sender.transport.setPeers(new Map([[b, `http://127.0.0.1:${port}`]]))
    sender.transport.send([append(1, 10), numbered])
    await waitFor(() => frames.length > 0)
    expect(Buffer.concat(frames)).toEqual(encodeFrame([heartbeat(3), append(1, 10)], 1))
    expect(seen).toEqual([`1 ${messagesPath}`])
    await sender.transport.close()
    server.close()
  })
})

describe('a peer is refused on both sides', () => {
  test.each([
    ['of another cluster', { clusterId: 'd' }, 'CLUSTER_MISMATCH', 'cluster'],
    ['at the address of another member', { id: 'z' as NodeId }, 'CLUSTER_MISMATCH', 'looks for b'],
  ] as const)('%s', async (_name, extra, code, text) => {
    const { fromRecorder, to } = await startPair(extra)
    await waitFor(() => fromRecorder.refusals.length > 0 && to.refusals.length > 0)
    expect(fromRecorder.refusals[0]).toMatchObject({ code })
    expect(fromRecorder.refusals[0]?.message).toContain(text)
    expect(to.refusals[0]?.message).toBe(fromRecorder.refusals[0]?.message)
  })

  test('again and again, and that is told once', async () => {
    const { recorder, url } = await start(b)
    const other = await start(a, { clusterId: 'other' })
    for (let i = 0; i < 3; i++) {
      other.transport.setPeers(new Map([[b, url]]))
      await waitFor(() => other.recorder.unreachables.length > i)
      other.transport.setPeers(new Map())
    }
    expect([recorder.refusals.length, other.recorder.refusals.length]).toEqual([1, 1])
  })

  test.each([
    ['newer', '3', '4', 'speaks protocol 3 to 4, member b speaks 1 to 2: upgrade member b first'],
    ['unnamed', '', '', 'does not say which protocol it speaks'],
    ['reversed', '2', '1', 'does not say which protocol it speaks'],
  ])('when its protocol versions are %s', async (_name, min, max, text) => {
    const { recorder, url } = await start(b)
    const headers = {
      ...handshakeHeaders({ id: a, clusterId: 'c' }, b),
      'balsa-protocol': min,
      'balsa-protocol-max': max,
    }
    const socket = new WebSocket(url.replace('http', 'ws') + messagesPath, { headers })
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode)
        socket.terminate()
      })
      socket.on('error', () => {})
    })
    expect(status).toBe(412)
    expect(recorder.refusals[0]).toMatchObject({ code: 'VERSION_MISMATCH' })
    expect(recorder.refusals[0]?.message).toContain(text)
  })

  test('that sends bytes which are no frame', async () => {
    const { recorder, url } = await start(b)
    const headers = handshakeHeaders({ id: a, clusterId: 'c' }, b)
    const socket = new WebSocket(url.replace('http', 'ws') + messagesPath, { headers })
    const code = await new Promise((resolve) => {
      socket.on('open', () => {
        socket.send(Buffer.from('not a frame'))
      })
      socket.on('close', resolve)
    })
    expect(code).toBe(1002)
    expect(recorder.messages).toEqual([])
  })
})

describe('a snapshot', () => {
  async function* chunks(count: number, size: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield await Promise.resolve(Buffer.alloc(size, i))
  }
  const fromStart = { offset: 0, checksum: 0 }
  const id = '0123456789abcdef0123456789abcdef'
  const streamOf = (make: (from: StreamPosition) => AsyncIterable<Uint8Array>): SnapshotStream => ({
    meta,
    id,
    chunks: make,
  })

  test('arrives whole, with back-pressure, and the sender knows when it is on disk', async () => {
    const { from, to } = await startPair()
    let received = 0
    let isStored = false
    to.snapshot = async (sender, stream) => {
      expect([sender, stream.meta, stream.id]).toEqual([a, meta, id])
      for await (const chunk of stream.chunks(fromStart)) {
        received += chunk.length
        await new Promise((resolve) => setImmediate(resolve))
      }
      isStored = true
    }
    await from.sendSnapshot(
      b,
      streamOf(() => chunks(40, 700_000)),
    )
    expect([received, isStored]).toEqual([28_000_000, true])
  })

  test('goes on behind what the receiver has, which tells its checksum', async () => {
    const { from, to } = await startPair()
    const asked: StreamPosition[] = []
    const received: Buffer[] = []
    to.snapshot = async (_sender, stream) => {
      for await (const chunk of stream.chunks({ offset: 15, checksum: 0xffff_fffe })) {
        received.push(Buffer.from(chunk))
      }
    }
    const source = streamOf((position) => {
      asked.push(position)
      return chunks(2, 7)
    })
    await from.sendSnapshot(b, source)
    expect(asked).toEqual([{ offset: 15, checksum: 0xffff_fffe }])
    expect(Buffer.concat(received)).toEqual(Buffer.from('0000000000000001010101010101', 'hex'))
  })

  test('that the receiver has already is not sent', async () => {
    const { from, to } = await startPair()
    to.snapshot = () => Promise.resolve()
    let isMade = false
    await from.sendSnapshot(
      b,
      streamOf(() => {
        isMade = true
        return chunks(1, 1)
      }),
    )
    expect(isMade).toBe(false)
  })

  test('that the receiver refuses is an error with its reason for the sender', async () => {
    const { from, to } = await startPair()
    to.snapshot = () => Promise.reject(new Error('the disk is full'))
    const sent = from.sendSnapshot(
      b,
      streamOf(() => chunks(1, 10)),
    )
    await expect(sent).rejects.toThrow('the disk is full')
  })

  test('that breaks off is an error on both sides', async () => {
    const { from, to } = await startPair()
    let seen: unknown
    to.snapshot = async (_sender, stream) => {
      try {
        for await (const chunk of stream.chunks(fromStart)) void chunk
      } catch (error) {
        seen = error
        throw error
      }
    }
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.alloc(10))
      throw new Error('the source broke')
    }
    await expect(from.sendSnapshot(b, streamOf(broken))).rejects.toThrow('the source broke')
    await waitFor(() => seen !== undefined)
  })

  test('of a version 1 peer comes from the start, without being asked for', async () => {
    const { recorder, url } = await start(b)
    let received = ''
    recorder.snapshot = async (_sender, stream) => {
      expect(stream.id).toBe(undefined)
      for await (const chunk of stream.chunks(fromStart)) received += Buffer.from(chunk).toString()
    }
    const headers = {
      'balsa-protocol': '1',
      'balsa-cluster': 'c',
      'balsa-from': a,
      'balsa-to': b,
    }
    const socket = new WebSocket(url.replace('http', 'ws') + snapshotPath, { headers })
    const answers: string[] = []
    socket.on('message', (data) => answers.push((data as Buffer).toString()))
    socket.on('open', () => {
      socket.send(encodeHeading({ meta, id: undefined }, 1))
      socket.send(Buffer.from('abc'))
      socket.send('end 3')
    })
    await waitFor(() => answers.length > 0)
    expect([received, answers]).toEqual(['abc', ['stored']])
    socket.terminate()
  })

  test.each([
    ['a header that is none', ['x'.repeat(200)]],
    ['bytes that were not asked for', ['HEADING', 'x']],
    ['an end that was not asked for', ['HEADING', 'end 0']],
  ])('is refused with %s', async (_name, frames) => {
    const { recorder, url } = await start(b)
    recorder.snapshot = () => new Promise(() => {})
    const headers = handshakeHeaders({ id: a, clusterId: 'c' }, b)
    const socket = new WebSocket(url.replace('http', 'ws') + snapshotPath, { headers })
    const code = await new Promise((resolve) => {
      socket.on('open', () => {
        for (const frame of frames) {
          if (frame === 'HEADING') socket.send(encodeHeading({ meta, id }, 2))
          else socket.send(frame.startsWith('end') ? frame : Buffer.from(frame))
        }
      })
      socket.on('close', resolve)
    })
    expect(code).toBe(1011)
  })
})
