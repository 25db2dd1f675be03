// The receiving end of a connection for messages: frames to the member, malformed ones end it, and so does a peer that falls silent or
// that asks without taking the answers.
import type { WebSocket } from 'ws'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, TransportHandler } from '../node/ports.ts'
import { decodeFrame } from './decode-frame.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import { Watchdog } from './watchdog.ts'

/** Pongs are all that we send here: more of them than this are those of a flood. */
const unsentAnswersSizeBytesMax = 64 * 1024
/** The sender asks every second; it gives up first, since it is the one that connects again. */
const patienceFactor = 3

export interface MessagesReceive {
  readonly from: NodeId
  readonly to: NodeId
  readonly version: ProtocolVersion
  readonly handler: TransportHandler
  readonly clock: Clock
  /** Of the sending side. */
  readonly silenceMsMax: number
  readonly onRefused: (error: RaftError) => void
}

/** Serves one incoming connection to its end. */
export function receiveMessages(socket: WebSocket, receive: MessagesReceive): void {
  const { from, to, version, handler, clock, silenceMsMax, onRefused } = receive
  const watchdog = new Watchdog({
    clock,
    silenceMsMax: silenceMsMax * patienceFactor,
    onSilence: () => {
      socket.terminate()
    },
  })
  socket.on('close', () => {
    watchdog.stop()
  })
  socket.on('ping', () => {
    watchdog.heard()
    if (socket.bufferedAmount > unsentAnswersSizeBytesMax) socket.terminate()
  })
  socket.on('message', (data, isBinary) => {
    watchdog.heard()
    try {
      if (!Buffer.isBuffer(data) || !isBinary) throw new MalformedBytesError('a frame is no bytes')
      for (const message of decodeFrame(data, { from, to }, version)) handler.message(message)
    } catch (reason) {
      if (!(reason instanceof MalformedBytesError)) throw reason
      onRefused(new RaftError('VERSION_MISMATCH', `Member ${from} sent a malformed frame`))
      socket.close(1002, 'malformed frame')
    }
  })
  socket.on('error', (error) => {
    if (isTooLarge(error)) {
      onRefused(new RaftError('OVERLOADED', `Member ${from} sent a frame that is too large`))
    }
  })
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
}
