// The receiving end of a snapshot's connection: says where to go on, hands the bytes to the member with back-pressure, and answers when they
// are on disk.
import type { WebSocket } from 'ws'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, SnapshotStream, StreamPosition, TransportHandler } from '../node/ports.ts'
import { ChunkQueue } from './chunk-queue.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import {
  decodeHeading,
  endText,
  positionText,
  snapshotSilenceMsMax,
  storedText,
  type SnapshotHeading,
} from './snapshot-frames.ts'
import { Watchdog } from './watchdog.ts'

/** A close reason holds at most 123 bytes; a character cut in two becomes one of three bytes. */
const reasonSizeBytesMax = 120

export interface SnapshotReceive {
  readonly from: NodeId
  readonly version: ProtocolVersion
  readonly handler: TransportHandler
  readonly clock: Clock
}

/** Serves one incoming stream to its end. */
export function receiveSnapshotStream(socket: WebSocket, receive: SnapshotReceive): void {
  new SnapshotReceiver(socket, receive).start()
}

class SnapshotReceiver {
  readonly #socket: WebSocket
  readonly #receive: SnapshotReceive
  readonly #queue: ChunkQueue
  readonly #watchdog: Watchdog
  #isBegun = false
  /** Undefined until the member says where to go on; bytes come only then. */
  #sizeBytes: number | undefined

  constructor(socket: WebSocket, receive: SnapshotReceive) {
    this.#socket = socket
    this.#receive = receive
    this.#queue = new ChunkQueue(socket)
    this.#watchdog = new Watchdog({
      clock: receive.clock,
      silenceMsMax: snapshotSilenceMsMax,
      onSilence: () => {
        socket.terminate()
      },
    })
  }

  start(): void {
    const { from } = this.#receive
    this.#socket.on('close', () => {
      this.#watchdog.stop()
      this.#queue.fail(new RaftError('TIMEOUT', `Snapshot from ${from} broke off`))
    })
    this.#socket.on('error', (error) => {
      this.#queue.fail(error)
    })
    this.#socket.on('message', (data, isBinary) => {
      this.#watchdog.heard()
      if (!Buffer.isBuffer(data)) this.#refuse('unexpected frame')
      else if (!isBinary) this.#end(data.toString())
      else if (this.#isBegun) this.#chunk(data)
      else this.#begin(data)
    })
  }

  #begin(data: Buffer): void {
    this.#isBegun = true
    const { version } = this.#receive
    const heading = decodeHeading(data, version)
    if (heading === undefined) {
      this.#refuse('malformed snapshot header')
      return
    }
    // An old sender does not wait to be asked.
    if (version === 1) this.#sizeBytes = 0
    void this.#serve(heading)
  }

  async #serve({ meta, id }: SnapshotHeading): Promise<void> {
    const refusal = await this.#hand({ meta, id, chunks: (from) => this.#ask(from) })
    this.#queue.discard()
    if (refusal === undefined) this.#socket.send(storedText)
    else this.#refuse(refusal)
  }

  /** Returns why the member did not take the snapshot, or undefined. */
  async #hand(stream: SnapshotStream): Promise<string | undefined> {
    const { from, handler } = this.#receive
    try {
      await handler.snapshot(from, stream)
      return undefined
    } catch (reason) {
      return reason instanceof Error ? reason.message : 'refused'
    }
  }

  #ask(from: StreamPosition): AsyncIterable<Uint8Array> {
    if (this.#receive.version > 1) {
      this.#sizeBytes = from.offset
      this.#watchdog.heard()
      this.#socket.send(positionText(from))
    }
    return this.#queue
  }

  #chunk(data: Buffer): void {
    if (this.#sizeBytes === undefined) {
      this.#refuse('bytes that were not asked for')
      return
    }
    this.#sizeBytes += data.length
    this.#queue.push(data)
  }

  #end(text: string): void {
    if (this.#sizeBytes === undefined || text !== endText(this.#sizeBytes)) {
      this.#refuse('wrong length')
      return
    }
    this.#queue.end()
  }

  #refuse(reason: string): void {
    const { from } = this.#receive
    this.#queue.fail(new RaftError('TIMEOUT', `Snapshot from ${from} broke off: ${reason}`))
    const text = Buffer.from(reason).subarray(0, reasonSizeBytesMax).toString()
    this.#socket.close(1011, text)
  }
}
