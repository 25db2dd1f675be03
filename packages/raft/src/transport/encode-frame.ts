// Messages between members as bytes: a frame holds the messages of one turn to one peer. Byte by byte in docs/peer-protocol.md. Sender and
// receiver are not in it: they are those of the connection, so that no peer speaks for another. The way back: decode-frame.ts.
import { ByteWriter } from '../bytes/byte-writer.ts'
import { assert } from '../core/assert.ts'
import { priorityDefault } from '../core/candidacy.ts'
import { encodeMembership } from '../core/membership.ts'
import type { AppendEntries, Message, SnapshotMeta } from '../core/types.ts'
import { inVersion, type ProtocolVersion } from './protocol-version.ts'

/** A sender makes smaller frames; version 1 fills them up to this. */
export const frameMessagesMax = 8_192
/** A longer one is cut: then it promises less than it keeps. */
const promiseMsMax = 0xffff_ffff

/** Size u32 of what follows, type u8, term u64. */
const messageHeaderSizeBytes = 4 + 1 + 8
export const entryHeaderSizeBytes: number = 8 + 1 + 4

export const messageTags: Readonly<Record<Message['type'], number>> = {
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
}

/** Bytes that the message takes in a frame. */
export function messageSizeBytes(message: Message, version: ProtocolVersion): number {
  return messageHeaderSizeBytes + bodySizeBytes(message, version)
}

function bodySizeBytes(message: Message, version: ProtocolVersion): number {
  const hasVersion2 = version >= 2
  switch (message.type) {
    case 'requestVote':
      return 8 + 8 + 1 + (hasVersion2 ? 4 : 0)
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
      return 8 + 8 + (hasVersion2 ? 8 : 0)
    case 'heartbeatResult':
      return 8 + (hasVersion2 ? 8 + 4 : 0)
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

/** What that version cannot say is left out, see protocol-version.ts. Payloads are copied once, into the frame. */
export function encodeFrame(messages: readonly Message[], version: ProtocolVersion): Buffer {
  const sayable: Message[] = []
  let size = 0
  for (const message of messages) {
    const said = inVersion(message, version)
    if (said === undefined) continue
    sayable.push(said)
    size += messageSizeBytes(said, version)
  }
  assert(sayable.length <= frameMessagesMax, 'a frame holds a bounded number of messages')
  const writer = new ByteWriter(size)
  for (const message of sayable) {
    const start = writer.position
    const messageSize = messageSizeBytes(message, version)
    writer.u32(messageSize - 4)
    writer.u8(messageTags[message.type])
    writer.u64(message.term)
    writeBody(writer, message, version)
    assert(writer.position === start + messageSize, 'a message takes the size computed for it')
  }
  return writer.finish()
}

function writeBody(writer: ByteWriter, message: Message, version: ProtocolVersion): void {
  const hasVersion2 = version >= 2
  switch (message.type) {
    case 'requestVote':
      writer.u64(message.lastLogIndex)
      writer.u64(message.lastLogTerm)
      writer.u8(flags(message.preVote, message.force))
      return hasVersion2 ? writer.u32(message.priority ?? priorityDefault) : undefined
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
      writer.u64(message.readSequence)
      return hasVersion2 ? writer.u64(message.number ?? 0) : undefined
    case 'heartbeatResult':
      writer.u64(message.readSequence)
      if (!hasVersion2) return
      writer.u64(message.number ?? 0)
      return writer.u32(Math.min(message.promiseMs ?? 0, promiseMsMax))
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

export function snapshotMetaSizeBytes(meta: SnapshotMeta): number {
  return 8 + 8 + 4 + encodeMembership(meta.membership).length
}

export function writeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  const membership = encodeMembership(meta.membership)
  writer.u64(meta.index)
  writer.u64(meta.term)
  writer.u32(membership.length)
  writer.bytes(membership)
}
