// Messages between members as bytes: a frame holds the messages of one turn to one peer. Byte by byte in docs/peer-protocol.md. Sender and
// receiver are not in it: they are those of the connection, so that no peer speaks for another.
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { assert } from '../core/assert.ts'
import { decodeMembership, encodeMembership } from '../core/membership.ts'
import {
  entryType,
  type AppendEntries,
  type Entry,
  type Message,
  type NodeId,
  type SnapshotMeta,
} from '../core/types.ts'

/** Bumped when a frame changes its meaning; peers with another one are refused in the handshake. */
export const protocolVersion = 1

/** Size u32 of what follows, type u8, term u64. */
const messageHeaderSizeBytes = 4 + 1 + 8
const entryHeaderSizeBytes = 8 + 1 + 4

const tags = {
  requestVote: 1,
  requestVoteResult: 2,
  appendEntries: 3,
  appendEntriesResult: 4,
  heartbeat: 5,
  heartbeatResult: 6,
  installSnapshot: 7,
  timeoutNow: 8,
  propose: 9,
  readIndex: 10,
  readIndexResult: 11,
  recoverRequest: 12,
  recoverResult: 13,
} as const satisfies Record<Message['type'], number>

/** Bytes that the message takes in a frame. */
export function messageSizeBytes(message: Message): number {
  return messageHeaderSizeBytes + bodySizeBytes(message)
}

function bodySizeBytes(message: Message): number {
  switch (message.type) {
    case 'requestVote':
      return 8 + 8 + 1
    case 'requestVoteResult':
      return 1 + 8 + 8
    case 'appendEntries': {
      let size = 8 + 8 + 8 + 4
      for (const entry of message.entries) size += entryHeaderSizeBytes + entry.data.length
      return size
    }
    case 'appendEntriesResult':
      return 8 + 1 + 8 + 8
    case 'heartbeat':
      return 8 + 8
    case 'heartbeatResult':
      return 8
    case 'installSnapshot':
      return snapshotMetaSizeBytes(message.snapshot)
    case 'timeoutNow':
      return 0
    case 'propose': {
      let size = 8 + 4
      for (const payload of message.payloads) size += 4 + payload.length
      return size
    }
    case 'readIndex':
      return 8
    case 'readIndexResult':
      return 8 + 8
    case 'recoverRequest':
      return 8
    case 'recoverResult':
      return 8 + 8
  }
}

/** Payloads are copied once, into the frame. */
export function encodeFrame(messages: readonly Message[]): Buffer {
  let size = 0
  for (const message of messages) size += messageSizeBytes(message)
  const writer = new ByteWriter(size)
  for (const message of messages) {
    const start = writer.position
    const messageSize = messageSizeBytes(message)
    writer.u32(messageSize - 4)
    writer.u8(tags[message.type])
    writer.u64(message.term)
    writeBody(writer, message)
    assert(writer.position === start + messageSize, 'a message takes the size computed for it')
  }
  return writer.finish()
}

function writeBody(writer: ByteWriter, message: Message): void {
  switch (message.type) {
    case 'requestVote':
      writer.u64(message.lastLogIndex)
      writer.u64(message.lastLogTerm)
      return writer.u8(flags(message.preVote, message.force))
    case 'requestVoteResult':
      writer.u8(flags(message.granted, message.preVote))
      writer.u64(message.commit)
      return writer.u64(message.commitTerm)
    case 'appendEntries':
      return writeAppend(writer, message)
    case 'appendEntriesResult':
      writer.u64(message.index)
      writer.u8(flags(message.rejected, false))
      writer.u64(message.hintIndex)
      return writer.u64(message.hintTerm)
    case 'heartbeat':
      writer.u64(message.commit)
      return writer.u64(message.readSequence)
    case 'heartbeatResult':
      return writer.u64(message.readSequence)
    case 'installSnapshot':
      return writeSnapshotMeta(writer, message.snapshot)
    case 'timeoutNow':
      return
    case 'propose':
      writer.u64(message.sequence)
      writer.u32(message.payloads.length)
      for (const payload of message.payloads) {
        writer.u32(payload.length)
        writer.bytes(payload)
      }
      return
    case 'readIndex':
      return writer.u64(message.context)
    case 'readIndexResult':
      writer.u64(message.context)
      return writer.u64(message.index)
    case 'recoverRequest':
      return writer.u64(message.nonce)
    case 'recoverResult':
      writer.u64(message.nonce)
      return writer.u64(message.lastIndex)
  }
}

function flags(first: boolean, second: boolean): number {
  return (first ? 1 : 0) + (second ? 2 : 0)
}

function writeAppend(writer: ByteWriter, message: AppendEntries): void {
  writer.u64(message.prevLogIndex)
  writer.u64(message.prevLogTerm)
  writer.u64(message.commit)
  writer.u32(message.entries.length)
  for (const [i, entry] of message.entries.entries()) {
    assert(entry.index === message.prevLogIndex + 1 + i, 'entries follow prevLogIndex')
    writer.u64(entry.term)
    writer.u8(entry.type)
    writer.u32(entry.data.length)
    writer.bytes(entry.data)
  }
}

function snapshotMetaSizeBytes(meta: SnapshotMeta): number {
  return 8 + 8 + 4 + encodeMembership(meta.membership).length
}

function writeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  const membership = encodeMembership(meta.membership)
  writer.u64(meta.index)
  writer.u64(meta.term)
  writer.u32(membership.length)
  writer.bytes(membership)
}

export function encodeSnapshotMeta(meta: SnapshotMeta): Buffer {
  const writer = new ByteWriter(snapshotMetaSizeBytes(meta))
  writeSnapshotMeta(writer, meta)
  return writer.finish()
}

/** Payloads are views of `bytes`. Throws MalformedBytesError. */
export function decodeFrame(bytes: Uint8Array, from: NodeId, to: NodeId): readonly Message[] {
  const frame = new ByteReader(bytes)
  const messages: Message[] = []
  while (frame.remaining > 0) {
    const reader = new ByteReader(frame.bytes(frame.u32()))
    messages.push(readMessage(reader, from, to))
    reader.end()
  }
  return messages
}

function readMessage(reader: ByteReader, from: NodeId, to: NodeId): Message {
  const tag = reader.u8()
  const address = { from, to, term: reader.u64() }
  switch (tag) {
    case tags.requestVote: {
      const lastLogIndex = reader.u64()
      const lastLogTerm = reader.u64()
      const [preVote, force] = readFlags(reader)
      return { type: 'requestVote', ...address, lastLogIndex, lastLogTerm, preVote, force }
    }
    case tags.requestVoteResult: {
      const [granted, preVote] = readFlags(reader)
      const committed = { commit: reader.u64(), commitTerm: reader.u64() }
      return { type: 'requestVoteResult', ...address, granted, preVote, ...committed }
    }
    case tags.appendEntries:
      return readAppend(reader, address)
    case tags.appendEntriesResult: {
      const index = reader.u64()
      const rejected = reader.flag()
      const hint = { hintIndex: reader.u64(), hintTerm: reader.u64() }
      return { type: 'appendEntriesResult', ...address, index, rejected, ...hint }
    }
    case tags.heartbeat: {
      const commit = reader.u64()
      return { type: 'heartbeat', ...address, commit, readSequence: reader.u64() }
    }
    case tags.heartbeatResult:
      return { type: 'heartbeatResult', ...address, readSequence: reader.u64() }
    case tags.installSnapshot:
      return { type: 'installSnapshot', ...address, snapshot: readSnapshotMeta(reader) }
    case tags.timeoutNow:
      return { type: 'timeoutNow', ...address }
    case tags.propose: {
      const sequence = reader.u64()
      return { type: 'propose', ...address, sequence, payloads: readPayloads(reader) }
    }
    case tags.readIndex:
      return { type: 'readIndex', ...address, context: reader.u64() }
    case tags.readIndexResult: {
      const context = reader.u64()
      return { type: 'readIndexResult', ...address, context, index: reader.u64() }
    }
    case tags.recoverRequest:
      return { type: 'recoverRequest', ...address, nonce: reader.u64() }
    case tags.recoverResult: {
      const nonce = reader.u64()
      return { type: 'recoverResult', ...address, nonce, lastIndex: reader.u64() }
    }
    default:
      throw new MalformedBytesError('a message has an unknown type')
  }
}

function readFlags(reader: ByteReader): readonly [boolean, boolean] {
  const value = reader.u8()
  if (value > 3) throw new MalformedBytesError('flags are out of range')
  return [(value & 1) !== 0, (value & 2) !== 0]
}

type Address = Pick<Message, 'from' | 'to' | 'term'>

function readAppend(reader: ByteReader, address: Address): AppendEntries {
  const prevLogIndex = reader.u64()
  const prevLogTerm = reader.u64()
  const commit = reader.u64()
  const count = reader.count(entryHeaderSizeBytes)
  if (!Number.isSafeInteger(prevLogIndex + count)) {
    throw new MalformedBytesError('an index is out of range')
  }
  const entries: Entry[] = []
  let lastTerm = prevLogTerm
  for (let i = 0; i < count; i++) {
    const entry = readEntry(reader, prevLogIndex + 1 + i)
    if (entry.term < lastTerm || entry.term > address.term) {
      throw new MalformedBytesError('terms of entries are out of order')
    }
    lastTerm = entry.term
    entries.push(entry)
  }
  return { type: 'appendEntries', ...address, prevLogIndex, prevLogTerm, entries, commit }
}

function readEntry(reader: ByteReader, index: number): Entry {
  const term = reader.u64()
  const type = reader.u8()
  const data = reader.bytes(reader.u32())
  if (type === entryType.normal) return { term, index, type: entryType.normal, data }
  // The core takes it for granted that a membership entry holds one.
  if (type === entryType.membership && decodeMembership(data) !== undefined) {
    return { term, index, type: entryType.membership, data }
  }
  throw new MalformedBytesError('an entry has an unknown type or no membership')
}

function readPayloads(reader: ByteReader): readonly Uint8Array[] {
  const count = reader.count(4)
  const payloads: Uint8Array[] = []
  for (let i = 0; i < count; i++) payloads.push(reader.bytes(reader.u32()))
  return payloads
}

function readSnapshotMeta(reader: ByteReader): SnapshotMeta {
  const index = reader.u64()
  const term = reader.u64()
  const membership = decodeMembership(reader.bytes(reader.u32()))
  if (membership === undefined) throw new MalformedBytesError('a membership is malformed')
  return { index, term, membership }
}

/** Throws MalformedBytesError. */
export function decodeSnapshotMeta(bytes: Uint8Array): SnapshotMeta {
  const reader = new ByteReader(bytes)
  const meta = readSnapshotMeta(reader)
  reader.end()
  return meta
}
