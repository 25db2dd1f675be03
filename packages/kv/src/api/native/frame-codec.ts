// Frames of the native wire: one WebSocket message is one MessagePack array of messages, each an array itself.
import { Packr, Unpackr } from 'msgpackr'
import { checkFrameShape } from './frame-shape.ts'
import { frameMessagesMax } from './native-protocol.ts'
import type { ClientMessage, ServerMessage } from './native-protocol.ts'

const options = { useRecords: false, moreTypes: false } as const
const packr = new Packr(options)
const unpackr = new Unpackr({ ...options, int64AsType: 'bigint' })

export function encodeFrame(messages: readonly (ClientMessage | ServerMessage)[]): Uint8Array {
  return packr.pack(messages)
}

/** Throws an Error with a text for a person. Byte strings are views of `bytes`. */
export function decodeClientFrame(bytes: Uint8Array): readonly ClientMessage[] {
  const messages = decodeFrame(bytes)
  for (const message of messages) {
    const [id, name, body] = message
    const isHello = id === 0 && name === 'hello' && typeof body === 'number'
    const isMessage = isId(id) && typeof name === 'string' && body instanceof Uint8Array
    if (message.length !== 3 || !(isHello || isMessage)) throw new Error('unknown message')
  }
  return messages as unknown as readonly ClientMessage[]
}

/** The same for what a server sends. */
export function decodeServerFrame(bytes: Uint8Array): readonly ServerMessage[] {
  const messages = decodeFrame(bytes)
  for (const message of messages) {
    const [id, second, third] = message
    const isKnown =
      id === 0
        ? (second === 'hello' && isHello(message)) ||
          (second === 'watch' && third instanceof Uint8Array)
        : isId(id) && (second instanceof Uint8Array || isFailure(message))
    if (!isKnown) throw new Error('unknown message')
  }
  return messages as unknown as readonly ServerMessage[]
}

function decodeFrame(bytes: Uint8Array): readonly (readonly unknown[])[] {
  checkFrameShape(bytes)
  const frame: unknown = unpackr.unpack(bytes)
  if (!Array.isArray(frame)) throw new Error('a frame is an array of messages')
  if (frame.length > frameMessagesMax) {
    throw new Error(`${frame.length} messages in a frame, more than ${frameMessagesMax}`)
  }
  const messages: readonly unknown[] = frame
  if (!messages.every(Array.isArray)) throw new Error('a message is an array')
  return messages as readonly (readonly unknown[])[]
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isHello(message: readonly unknown[]): boolean {
  const [, , version, clusterId, memberId, leaderId, members] = message
  return (
    typeof version === 'number' &&
    typeof clusterId === 'bigint' &&
    typeof memberId === 'bigint' &&
    typeof leaderId === 'bigint' &&
    Array.isArray(members) &&
    members.every(
      (member: unknown) =>
        Array.isArray(member) &&
        typeof member[0] === 'bigint' &&
        Array.isArray(member[1]) &&
        member[1].every((url: unknown) => typeof url === 'string'),
    )
  )
}

function isFailure(message: readonly unknown[]): boolean {
  const [, code, text, compactRevision] = message
  return typeof code === 'string' && typeof text === 'string' && typeof compactRevision === 'number'
}
