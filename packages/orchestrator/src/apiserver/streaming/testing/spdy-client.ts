// The client's side of SPDY/3.1, as far as tests need it.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { constants, createDeflate, type Deflate } from 'node:zlib'
import { spdyDictionary } from '../spdy-dictionary.ts'

/** Two ends of one connection: the server's, the client's. */
export const pair = async (): Promise<[Socket, Socket]> => {
  const listener = createServer({ allowHalfOpen: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [server] = (await once(listener, 'connection')) as [Socket]
  listener.close()
  client.on('error', () => undefined)
  return [server, client]
}

export const controlFrame = (type: number, body: Buffer, flags = 0): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(0x80030000 + type, 0)
  head.writeUInt32BE(flags * 2 ** 24 + body.length, 4)
  return Buffer.concat([head, body])
}

/** Packs header blocks with the one compressor of a connection. */
export class HeaderPacker {
  readonly #deflate: Deflate = createDeflate({ dictionary: spdyDictionary })

  async pack(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const sized = (text: string): Buffer => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(text))
      return Buffer.concat([length, Buffer.from(text)])
    }
    const count = Buffer.alloc(4)
    count.writeUInt32BE(Object.keys(headers).length)
    const pairs = Object.entries(headers).flatMap(([name, value]) => [sized(name), sized(value)])
    return this.packBytes(Buffer.concat([count, ...pairs]))
  }

  async packBytes(block: Buffer): Promise<Buffer> {
    const parts: Buffer[] = []
    const collect = (part: Buffer): void => {
      parts.push(part)
    }
    this.#deflate.on('data', collect)
    this.#deflate.write(block)
    await new Promise<void>((resolve) => {
      this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve)
    })
    this.#deflate.removeListener('data', collect)
    return Buffer.concat(parts)
  }
}

export const synStream = (id: number, block: Buffer, isFinal = false): Buffer => {
  const body = Buffer.alloc(10)
  body.writeUInt32BE(id, 0)
  return controlFrame(1, Buffer.concat([body, block]), isFinal ? 1 : 0)
}
