// Frames of messages from bytes that may be hostile: what comes out may be stepped into the core, whatever came in.
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.ts'
import { priorityDefault } from '../core/candidacy.ts'
import { decodeMembership } from '../core/membership.ts'
import {
  entryType,
  type AppendEntries,
  type Entry,
  type Message,
  type NodeId,
  type SnapshotMeta,
} from '../core/types.ts'
import { entryHeaderSizeBytes, frameMessagesMax, messageTags as tags } from './encode-frame.ts'
import { isOldEntry, isOldMembership, type ProtocolVersion } from './protocol-version.ts'

export interface FrameAddress {
  readonly from: NodeId
  readonly to: NodeId
}

/** Payloads are views of `bytes`. Throws MalformedBytesError. */
export function decodeFrame(
  bytes: Uint8Array,
  address: FrameAddress,
  version: ProtocolVersion,
): readonly Message[] {
  const frame = new ByteReader(bytes)
  const messages: Message[] = []
  while (frame.remaining > 0) {
    if (messages.length === frameMessagesMax) {
      throw new MalformedBytesError('a frame has too many messages')
    }
    const reader = new ByteReader(frame.bytes(frame.u32()))
    messages.push(readMessage(reader, address, version))
    reader.end()
  }
  return messages
}

function readMessage(
  reader: ByteReader,
  { from, to }: FrameAddress,
  version: ProtocolVersion,
): Message {
  const tag = reader.u8()
  const address = { from, to, term: reader.u64() }
  const hasVersion2 = version >= 2
  switch (tag) {
    case tags.requestVote: {
      const lastLogIndex = reader.u64()
      const lastLogTerm = reader.u64()
      const [preVote, force] = readFlags(reader)
      const priority = hasVersion2 ? reader.u32() : priorityDefault
      return {
        type: 'requestVote',
        ...address,
        lastLogIndex,
        lastLogTerm,
        preVote,
        force,
        priority,
      }
    }
    case tags.requestVoteResult: {
      const [granted, preVote] = readFlags(reader)
      const committed = { commit: reader.u64(), commitTerm: reader.u64() }
      return { type: 'requestVoteResult', ...address, granted, preVote, ...committed }
    }
    case tags.appendEntries:
      return readAppend(reader, address, version)
    case tags.appendEntriesResult: {
      const index = reader.u64()
      const rejected = reader.flag()
      const hint = { hintIndex: reader.u64(), hintTerm: reader.u64() }
      return { type: 'appendEntriesResult', ...address, index, rejected, ...hint }
    }
    case tags.heartbeat: {
      const commit = reader.u64()
      const readSequence = reader.u64()
      const number = hasVersion2 ? reader.u64() : 0
      return { type: 'heartbeat', ...address, commit, readSequence, number }
    }
    case tags.heartbeatResult: {
      const readSequence = reader.u64()
      const number = hasVersion2 ? reader.u64() : 0
      const promiseMs = hasVersion2 ? reader.u32() : 0
      return { type: 'heartbeatResult', ...address, readSequence, number, promiseMs }
    }
    case tags.installSnapshot:
      return { type: 'installSnapshot', ...address, snapshot: readSnapshotMeta(reader, version) }
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
    default:
      if (hasVersion2) return readNewMessage(reader, tag, address)
      throw new MalformedBytesError('a message has an unknown type')
  }
}

/** Those that version 2 added. */
function readNewMessage(reader: ByteReader, tag: number, address: Address): Message {
  switch (tag) {
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

function readAppend(reader: ByteReader, address: Address, version: ProtocolVersion): AppendEntries {
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
    if (version === 1 && !isOldEntry(entry)) {
      throw new MalformedBytesError('a membership has a format that version 1 does not know')
    }
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

/** Throws MalformedBytesError. */
export function readSnapshotMeta(reader: ByteReader, version: ProtocolVersion): SnapshotMeta {
  const index = reader.u64()
  const term = reader.u64()
  const membership = decodeMembership(reader.bytes(reader.u32()))
  if (membership === undefined || (version === 1 && !isOldMembership(membership))) {
    throw new MalformedBytesError('a membership is malformed')
  }
  return { index, term, membership }
}
