// How values become bytes and come back.
import { pack, unpack } from 'msgpackr'

export interface Codec<T> {
  encode(value: T): Uint8Array
  /** May throw for bytes that another program wrote. */
  decode(bytes: Uint8Array): T
}

export const text: Codec<string> = {
  encode: (value) => Buffer.from(value),
  decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
}

export const raw: Codec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes }

/** What JSON can say; the type is the program's word for it. */
export function json<T>(): Codec<T> {
  return {
    encode: (value) => text.encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(text.decode(bytes)) as T,
  }
}

/** MessagePack: smaller than JSON, and bigint, Date and undefined come back. A Map comes back as an object. */
export function messagePack<T>(): Codec<T> {
  return { encode: (value) => pack(value), decode: (bytes) => unpack(bytes) as T }
}
