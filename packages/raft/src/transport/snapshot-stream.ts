// A snapshot between two members, on a connection of its own: first what it stands for, then the chunks, then how long it is; the
// receiver answers when it is on disk. Both sides give up when the other is silent for too long.
import type { RawData, WebSocket } from 'ws'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, TransportHandler } from '../node/ports.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { decodeSnapshotMeta } from './decode-frame.ts'
import { encodeSnapshotMeta } from './encode-frame.ts'
import { handshakeHeaders, snapshotPath, type Identity } from './handshake.ts'
import { connectPeer } from './peer-socket.ts'
import { isOldMembership, type ProtocolVersion } from './protocol-version.ts'

const chunkFrameSizeBytesMax: number = 1024 * 1024
const silenceMsMax = 60_000
const storedText = 'stored'
const endPrefix = 'end '
/** A close reason holds at most 123 bytes; a character cut in two becomes one of three bytes. */
const reasonSizeBytesMax = 120

/** Calls back when nothing was heard for too long. */
class Watchdog {
  readonly #clock: Clock
  readonly #onSilence: () => void
  #heardAt: number
  #cancel: (() => void) | undefined

  constructor(clock: Clock, onSilence: () => void) {
    this.#clock = clock
    this.#onSilence = onSilence
    this.#heardAt = clock.now()
    this.#arm(silenceMsMax)
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.setTimer(ms, () => {
      const left = this.#heardAt + silenceMsMax - this.#clock.now()
      if (left > 0) this.#arm(left)
      else this.#onSilence()
    })
  }

  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  stop(): void {
    this.#cancel?.()
  }
}

export interface SnapshotSend {
  readonly identity: Identity
  readonly to: NodeId
  readonly url: string
  readonly clock: Clock
  readonly onRefused: (error: RaftError) => void
  /** Lets the transport break off the stream when it closes. */
  readonly onSocket: (socket: WebSocket) => void
}

/** Resolves when the receiver has the snapshot on disk. */
export async function sendSnapshotStream(
  send: SnapshotSend,
  meta: SnapshotMeta,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { identity, to, url, clock, onSocket } = send
  const headers = handshakeHeaders(identity, to)
  let refusal: RaftError | undefined
  const onRefused = (error: RaftError): void => {
    refusal = error
    send.onRefused(error)
  }
  let version: ProtocolVersion | undefined
  const onOpen = (agreed: ProtocolVersion): void => {
    version = agreed
  }
  const socket = connectPeer({ url, path: snapshotPath, headers, to, onOpen, onRefused })
  onSocket(socket)
  const watchdog = new Watchdog(clock, () => {
    socket.terminate()
  })
  let isDone = false
  const closed = new Promise<string>((resolve) => {
    socket.on('error', () => {
      watchdog.stop()
    })
    socket.on('close', (_code, reason) => {
      resolve(reason.toString())
    })
    socket.on('message', (data, isBinary) => {
      isDone ||= !isBinary && textOf(data) === storedText
      socket.close()
    })
  })
  try {
    const opened = new Promise<boolean>((resolve) => {
      socket.on('open', () => {
        resolve(true)
      })
    })
    const isOpen = await Promise.race([opened, closed.then(() => false)])
    if (isOpen && version === 1 && !isOldMembership(meta.membership)) {
      const text = `Member ${to} speaks protocol 1, which knows no witnesses: upgrade member ${to} first`
      throw new RaftError('VERSION_MISMATCH', text)
    }
    if (isOpen && version !== undefined) await sendAll(socket, meta, { chunks, watchdog })
    const reason = await closed
    if (isDone) return
    const text = reason === '' ? 'the connection broke' : reason
    throw refusal ?? new RaftError('TIMEOUT', `Member ${to} did not take the snapshot: ${text}`)
  } finally {
    watchdog.stop()
    socket.terminate()
  }
}

interface Sending {
  readonly chunks: AsyncIterable<Uint8Array>
  readonly watchdog: Watchdog
}

/** Stops early, without an error, when the socket closes. */
async function sendAll(
  socket: WebSocket,
  meta: SnapshotMeta,
  { chunks, watchdog }: Sending,
): Promise<void> {
  let isSent = await sendFrame(socket, encodeSnapshotMeta(meta))
  let sizeBytes = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length && isSent; at += chunkFrameSizeBytesMax) {
      const part = chunk.subarray(at, at + chunkFrameSizeBytesMax)
      isSent = await sendFrame(socket, part)
      sizeBytes += part.length
      watchdog.heard()
    }
    if (!isSent) return
  }
  await sendFrame(socket, endPrefix + String(sizeBytes))
}

/** Resolves when the system has taken it, false if the connection is gone. */
function sendFrame(socket: WebSocket, data: Uint8Array | string): Promise<boolean> {
  return new Promise((resolve) => {
    socket.send(data, (error) => {
      resolve(error === undefined || error === null)
    })
  })
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : ''
}

export interface SnapshotReceive {
  readonly from: NodeId
  readonly version: ProtocolVersion
  readonly handler: TransportHandler
  readonly clock: Clock
}

/** Serves one incoming stream to its end. */
export function receiveSnapshotStream(
  socket: WebSocket,
  { from, version, handler, clock }: SnapshotReceive,
): void {
  const queue = new ChunkQueue(socket)
  let isBegun = false
  let sizeBytes = 0
  const watchdog = new Watchdog(clock, () => {
    socket.terminate()
  })
  const refuse = (reason: string): void => {
    queue.fail(new RaftError('TIMEOUT', `Snapshot from ${from} broke off: ${reason}`))
    socket.close(1011, Buffer.from(reason).subarray(0, reasonSizeBytesMax).toString())
  }
  const serve = async (meta: SnapshotMeta): Promise<void> => {
    const refusal = await hand({ from, handler }, meta, queue)
    queue.discard()
    if (refusal === undefined) socket.send(storedText)
    else refuse(refusal)
  }
  socket.on('close', () => {
    watchdog.stop()
    queue.fail(new RaftError('TIMEOUT', `Snapshot from ${from} broke off`))
  })
  socket.on('error', (error) => {
    queue.fail(error)
  })
  socket.on('message', (data, isBinary) => {
    watchdog.heard()
    if (!Buffer.isBuffer(data)) return refuse('unexpected frame')
    if (!isBinary) {
      if (data.toString() !== endPrefix + String(sizeBytes)) return refuse('wrong length')
      queue.end()
      return
    }
    if (isBegun) {
      sizeBytes += data.length
      queue.push(data)
      return
    }
    isBegun = true
    const meta = decodeMeta(data, version)
    if (meta === undefined) return refuse('malformed snapshot header')
    void serve(meta)
  })
}

/** Returns why the member did not take the snapshot, or undefined. */
async function hand(
  { from, handler }: Pick<SnapshotReceive, 'from' | 'handler'>,
  meta: SnapshotMeta,
  chunks: AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  try {
    await handler.snapshot(from, meta, chunks)
    return undefined
  } catch (reason) {
    return reason instanceof Error ? reason.message : 'refused'
  }
}

function decodeMeta(bytes: Uint8Array, version: ProtocolVersion): SnapshotMeta | undefined {
  try {
    return decodeSnapshotMeta(bytes, version)
  } catch (reason) {
    if (reason instanceof MalformedBytesError) return undefined
    throw reason
  }
}
