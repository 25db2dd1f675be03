// One TLS connection that speaks just enough HTTP/1.1 or HTTP/2 to measure a server: requests are bytes made before, replies are counted
// and told by status, nothing is parsed that does not matter. So the generator takes little of the processor that it shares.
import { connect, type TLSSocket } from 'node:tls'

export interface HttpsTarget {
  readonly host: string
  readonly port: number
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}
export interface HttpsRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: Buffer
}
export interface HttpsConnection {
  /** `done` is called once, with the status and the bytes of the body; status 0: the connection broke. */
  send(request: HttpsRequest, done: (status: number, bytes: number) => void): void
  close(): void
}
export interface Http2Connection extends HttpsConnection {
  /** A watch: `onLines` is told how many lines came, as they come. */
  watch(path: string, onLines: (count: number) => void): void
}

const openSocket = async (target: HttpsTarget, protocol: string): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...target, ALPNProtocols: [protocol], servername: 'localhost' })
    socket.setNoDelay(true)
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })

/** One request at a time. */
export async function openHttp1(target: HttpsTarget): Promise<HttpsConnection> {
  const socket = await openSocket(target, 'http/1.1')
  let done: ((status: number, bytes: number) => void) | undefined
  let pending: Buffer = Buffer.alloc(0)
  const finish = (status: number, bytes = 0): void => {
    const call = done
    done = undefined
    call?.(status, bytes)
  }
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const headEnd = pending.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = pending.toString('latin1', 0, headEnd)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (pending.length < headEnd + 4 + length) return
    pending = pending.subarray(headEnd + 4 + length)
    finish(Number(head.slice(9, 12)), length)
  })
  socket.on('close', () => finish(0))
  socket.on('error', () => finish(0))
  return {
    send: ({ method, path, body }, onDone) => {
      done = onDone
      const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n`
      const more =
        body === undefined
          ? '\r\n'
          : `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
      socket.write(
        body === undefined ? head + more : Buffer.concat([Buffer.from(head + more), body]),
      )
    },
    close: () => socket.destroy(),
  }
}

const frameHeaderBytes = 9
const dataFrame = 0
const headersFrame = 1
const settingsFrame = 4
const pingFrame = 6
const windowUpdateFrame = 8
const endStream = 0x1
const endHeaders = 0x4
const ackFlag = 0x1
const windowMax = 2 ** 31 - 1
const windowRefillBytes = 2 ** 29

const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(frameHeaderBytes)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}
const windowUpdate = (increment: number): Buffer => {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(increment)
  return frame(windowUpdateFrame, 0, 0, payload)
}
/** Settings: no dynamic table for the headers it sends, and windows that never close. */
const settings = (): Buffer => {
  const payload = Buffer.alloc(12)
  payload.writeUInt16BE(1, 0)
  payload.writeUInt32BE(0, 2)
  payload.writeUInt16BE(4, 6)
  payload.writeUInt32BE(windowMax, 8)
  return frame(settingsFrame, 0, 0, payload)
}
/** A header as a literal that goes into no table. */
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
const headerBlock = ({ method, path, body }: HttpsRequest): Buffer =>
  Buffer.concat([
    literal(':method', method),
    literal(':scheme', 'https'),
    literal(':authority', 'localhost'),
    literal(':path', path),
    literal('accept', 'application/json'),
    ...(body === undefined ? [] : [literal('content-type', 'application/json')]),
  ])
/** The status comes first: indexed (200) or as a literal of three digits. */
const statusOf = (block: Buffer): number =>
  block[0] === 0x88 ? 200 : Number(/[1-5]\d\d/.exec(block.toString('latin1', 0, 12))?.[0] ?? 200)

const newline = 0x0a
const linesOf = (payload: Buffer): number => {
  let count = 0
  for (let at = payload.indexOf(newline); at !== -1; at = payload.indexOf(newline, at + 1)) count++
  return count
}

/** Many requests at a time. */
export async function openHttp2(target: HttpsTarget): Promise<Http2Connection> {
  const socket = await openSocket(target, 'h2')
  const waiting = new Map<number, (status: number, bytes: number) => void>()
  const sizes = new Map<number, number>()
  const statuses = new Map<number, number>()
  const watches = new Map<number, (count: number) => void>()
  let stream = 1
  let pending: Buffer = Buffer.alloc(0)
  let received = 0
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      settings(),
      windowUpdate(windowMax - 65_535),
    ]),
  )
  const finish = (id: number): void => {
    const call = waiting.get(id)
    const status = statuses.get(id) ?? 0
    const bytes = sizes.get(id) ?? 0
    waiting.delete(id)
    statuses.delete(id)
    sizes.delete(id)
    call?.(status, bytes)
  }
  const take = (type: number, flags: number, id: number, payload: Buffer): void => {
    if (type === settingsFrame && (flags & ackFlag) === 0)
      socket.write(frame(settingsFrame, ackFlag, 0, Buffer.alloc(0)))
    else if (type === pingFrame && (flags & ackFlag) === 0)
      socket.write(frame(pingFrame, ackFlag, 0, payload))
    else if (type === headersFrame) {
      if (!statuses.has(id)) statuses.set(id, statusOf(payload))
    } else if (type === dataFrame) {
      received += payload.length
      sizes.set(id, (sizes.get(id) ?? 0) + payload.length)
      watches.get(id)?.(linesOf(payload))
      if (received > windowRefillBytes) {
        socket.write(windowUpdate(received))
        received = 0
      }
    }
    const isEnd = (type === headersFrame || type === dataFrame) && (flags & endStream) !== 0
    if (isEnd) finish(id)
  }
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let offset = 0
    while (pending.length - offset >= frameHeaderBytes) {
      const length = pending.readUIntBE(offset, 3)
      const end = offset + frameHeaderBytes + length
      if (pending.length < end) break
      take(
        pending[offset + 3] ?? 0,
        pending[offset + 4] ?? 0,
        pending.readUInt32BE(offset + 5) & 0x7fffffff,
        pending.subarray(offset + frameHeaderBytes, end),
      )
      offset = end
    }
    pending = pending.subarray(offset)
  })
  const breakOff = (): void => {
    for (const id of waiting.keys()) {
      statuses.set(id, 0)
      finish(id)
    }
  }
  socket.on('close', breakOff)
  socket.on('error', breakOff)
  return {
    send: (request, done) => {
      const id = stream
      stream += 2
      waiting.set(id, done)
      const { body } = request
      const flags = endHeaders | (body === undefined ? endStream : 0)
      const head = frame(headersFrame, flags, id, headerBlock(request))
      socket.write(
        body === undefined ? head : Buffer.concat([head, frame(dataFrame, endStream, id, body)]),
      )
    },
    watch: (path, onLines) => {
      const id = stream
      stream += 2
      watches.set(id, onLines)
      const block = headerBlock({ method: 'GET', path })
      socket.write(frame(headersFrame, endHeaders | endStream, id, block))
    },
    close: () => socket.destroy(),
  }
}
