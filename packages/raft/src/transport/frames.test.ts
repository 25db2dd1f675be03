// Goal: what is encoded is decoded to the same, and no bytes whatsoever make the decoder do anything but return messages that the core
// may step, or throw MalformedBytesError. Method: properties over generated messages, damaged frames and random bytes.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import { encodeMembership } from '../core/membership.ts'
import type { Entry, Membership, Message, NodeId } from '../core/types.ts'
import { decodeFrame } from './decode-frame.ts'
import { encodeFrame, frameMessagesMax, messageSizeBytes } from './encode-frame.ts'
import { inVersion, protocolVersions, type ProtocolVersion } from './protocol-version.ts'
import { goldenMessages } from './testing/golden-messages.ts'

const from = 'a' as NodeId
const to = 'b' as NodeId
const seed = Number(process.env['SEED'] ?? 20_261_121)

const integer = fc.oneof(fc.nat(), fc.maxSafeNat()).map((n) => Math.min(n, 2 ** 52))
const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data))
const id = fc.stringMatching(/^[a-z0-9]{1,64}$/).map((text) => text as NodeId)
const membership: fc.Arbitrary<Membership> = fc
  .uniqueArray(id, { minLength: 1, maxLength: 9 })
  .chain((ids) =>
    fc.tuple(fc.nat({ max: ids.length - 1 }), fc.nat(), fc.nat()).map(([learners, w, p]) => {
      const voters = ids.slice(learners)
      const witnesses = voters.slice(2 + (w % voters.length))
      const promoting = ids.slice(0, p % (learners + 1))
      return {
        voters,
        votersOutgoing: ids.slice(learners, learners + 2),
        learners: ids.slice(0, learners),
        ...(witnesses.length > 0 ? { witnesses } : {}),
        ...(promoting.length > 0 ? { promoting } : {}),
      }
    }),
  )
const payloadOf = fc.oneof(
  bytes.map((data) => ({ type: 0 as const, data })),
  membership.map((value) => ({ type: 1 as const, data: Buffer.from(encodeMembership(value)) })),
)
const base = { from, to }

const appendEntries = fc
  .record({ prevLogIndex: integer, term: integer, commit: integer, payloads: fc.array(payloadOf) })
  .map(({ prevLogIndex, term, commit, payloads }): Message => {
    const entries: Entry[] = payloads.map(({ type, data }, i) => ({
      term,
      index: prevLogIndex + 1 + i,
      type,
      data,
    }))
    const prevLogTerm = Math.floor(term / 2)
    return { type: 'appendEntries', ...base, term, prevLogIndex, prevLogTerm, commit, entries }
  })

const flag = fc.boolean()
const others: fc.Arbitrary<Message> = fc
  .record({
    n: fc.tuple(integer, integer, integer, integer),
    p: flag,
    q: flag,
    membership,
    payloads: fc.array(bytes),
  })
  .chain(({ n: [term, x, y, z], p, q, membership, payloads }) => {
    const head = { ...base, term }
    const messages: Message[] = [
      {
        type: 'requestVote',
        ...head,
        lastLogIndex: x,
        lastLogTerm: y,
        preVote: p,
        force: q,
        priority: z % 7,
      },
      { type: 'requestVoteResult', ...head, granted: p, preVote: q, commit: x, commitTerm: y },
      { type: 'appendEntriesResult', ...head, index: x, rejected: p, hintIndex: y, hintTerm: z },
      { type: 'heartbeat', ...head, commit: x, readSequence: y, number: z },
      { type: 'heartbeatResult', ...head, readSequence: x, number: z, promiseMs: y % 2 ** 32 },
      { type: 'installSnapshot', ...head, snapshot: { index: x, term: y, membership } },
      { type: 'timeoutNow', ...head },
      { type: 'propose', ...head, sequence: x, payloads },
      { type: 'readIndex', ...head, context: x },
      { type: 'readIndexResult', ...head, context: x, index: y },
      { type: 'recoverRequest', ...head, nonce: x },
      { type: 'recoverResult', ...head, nonce: x, lastIndex: y },
    ]
    return fc.constantFrom(...messages)
  })
const frame = fc.array(fc.oneof(appendEntries, others), { maxLength: 8 })

const version = fc.constantFrom<ProtocolVersion>(1, 2)

/** What of the messages gets through, with what the receiver takes for granted. */
function whatArrives(messages: readonly Message[], v: ProtocolVersion): readonly Message[] {
  const said = messages.flatMap((message) => inVersion(message, v) ?? [])
  if (v > 1) return said
  return said.map((message): Message => {
    if (message.type === 'requestVote') return { ...message, priority: 1 }
    if (message.type === 'heartbeatResult') return { ...message, number: 0, promiseMs: 0 }
    return message.type === 'heartbeat' ? { ...message, number: 0 } : message
  })
}

test('every message comes back as it was, several in one frame, in what both versions can say', () => {
  fc.assert(
    fc.property(frame, version, (messages, v) => {
      const encoded = encodeFrame(messages, v)
      const expected = whatArrives(messages, v)
      expect(encoded.length).toBe(
        expected.reduce((sum, message) => sum + messageSizeBytes(message, v), 0),
      )
      expect(decodeFrame(encoded, base, v)).toEqual(expected)
    }),
    { seed, numRuns: 300 },
  )
})

const goldenVersion1: Record<string, string> = {
  requestVote: '1a0000000102010000000000000300000002000000040000000000000002',
  requestVoteResult: '1a0000000202010000000000000305000000000000000600000000000000',
  appendEntries:
    '5d000000030201000000000000070000000000000008000000000000000900000000000000030000000a00000000000000000500000062616c73610b00000000000000010c0000000102016101620101610101630c000000000000000000000000',
  appendEntriesResult:
    '220000000402010000000000000d00000000000000010e000000000000000f00000000000000',
  heartbeat: '1900000005020100000000000010000000000000001100000000000000',
  heartbeatResult: '110000000602010000000000001200000000000000',
  installSnapshot:
    '29000000070201000000000000130000000000000014000000000000000c000000010201610162010161010163',
  timeoutNow: '09000000080201000000000000',
  propose: '1e000000090201000000000000150000000000000002000000010000007800000000',
  readIndex: '110000000a02010000000000001600000000000000',
  readIndexResult: '190000000b020100000000000017000000000000001800000000000000',
}

test('frames of version 1 are byte for byte those that members of version 1 make', () => {
  const frames = goldenMessages.map((message) => [
    message.type,
    encodeFrame([message], 1).toString('hex'),
  ])
  expect(Object.fromEntries(frames)).toEqual(goldenVersion1)
})

test('messages of version 2 differ from those of version 1 where the table says so', () => {
  const ofVersion = (v: ProtocolVersion, type: string): string =>
    encodeFrame(
      goldenMessages.filter((message) => message.type === type),
      v,
    ).toString('hex')
  const types = goldenMessages.map(({ type }) => type)
  const differing = types.filter((type) => ofVersion(1, type) !== ofVersion(2, type))
  expect(differing).toEqual(['requestVote', 'heartbeat', 'heartbeatResult'])
  expect(ofVersion(2, 'requestVote')).toBe(`1e${goldenVersion1['requestVote']?.slice(2)}01000000`)
  expect(ofVersion(2, 'heartbeat')).toBe(
    `21${goldenVersion1['heartbeat']?.slice(2)}${'00'.repeat(8)}`,
  )
})

test('a version 1 peer gets the entries before a membership that it cannot read, and none of what follows', () => {
  const members = { voters: [from, to], votersOutgoing: [], learners: [], witnesses: [to] }
  const entry = (index: number): Entry => ({ term: 1, index, type: 0, data: Buffer.from('x') })
  const message: Message = {
    type: 'appendEntries',
    ...base,
    term: 1,
    prevLogIndex: 3,
    prevLogTerm: 1,
    commit: 3,
    entries: [entry(4), { ...entry(5), type: 1, data: encodeMembership(members) }, entry(6)],
  }
  expect(decodeFrame(encodeFrame([message], 1), base, 1)).toEqual([
    { ...message, entries: [entry(4)] },
  ])
  const recover: Message = { type: 'recoverRequest', ...base, term: 1, nonce: 1 }
  const inside = { ...message, entries: message.entries.slice(1), prevLogIndex: 4 }
  expect(encodeFrame([recover, inside], 1)).toHaveLength(0)
  expect(() => decodeFrame(encodeFrame([message], 2), base, 1)).toThrow(MalformedBytesError)
})

test(`a frame holds ${frameMessagesMax} messages and not one more`, () => {
  const message: Message = { type: 'timeoutNow', ...base, term: 1 }
  const full = encodeFrame(
    Array.from({ length: frameMessagesMax }, () => message),
    2,
  )
  expect(decodeFrame(full, base, 2)).toHaveLength(frameMessagesMax)
  const more = Buffer.concat([full, encodeFrame([message], 2)])
  expect(() => decodeFrame(more, base, 2)).toThrow('too many messages')
})

/** Returns the messages, or undefined if the frame is refused in the one way that is allowed. */
function tryDecode(data: Uint8Array, v: ProtocolVersion): readonly Message[] | undefined {
  try {
    return decodeFrame(data, base, v)
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedBytesError)
    return undefined
  }
}

test('what a damaged frame is decoded to encodes to the very same bytes, or it is refused', () => {
  const flip = fc.integer({ min: 1, max: 255 })
  fc.assert(
    fc.property(frame, version, fc.nat(), flip, (messages, v, at, bits) => {
      const damaged = Buffer.from(encodeFrame(messages, v))
      if (damaged.length === 0) return
      const position = at % damaged.length
      damaged[position] = (damaged[position] ?? 0) ^ bits
      const decoded = tryDecode(damaged, v)
      if (decoded !== undefined) expect(encodeFrame(decoded, v)).toEqual(damaged)
    }),
    { seed, numRuns: 1_200 },
  )
})

test('a frame that is cut short is refused, wherever it is cut inside a message', () => {
  const { max } = protocolVersions
  fc.assert(
    fc.property(appendEntries, fc.nat(), (message, at) => {
      const whole = encodeFrame([message], max)
      expect(tryDecode(whole.subarray(0, 1 + (at % (whole.length - 1))), max)).toBeUndefined()
    }),
    { seed, numRuns: 200 },
  )
})

test('random bytes are refused, and large counts ask for no memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), version, (data, v) => {
      const decoded = tryDecode(data, v)
      if (decoded !== undefined) expect(encodeFrame(decoded, v)).toEqual(Buffer.from(data))
    }),
    { seed, numRuns: 3000 },
  )
  const claim = encodeFrame(
    [{ type: 'propose', ...base, term: 1, sequence: 1, payloads: [Buffer.alloc(8)] }],
    2,
  )
  claim.writeUInt32LE(0xffff_ffff, 4 + 1 + 8 + 8)
  expect(tryDecode(claim, 2)).toBeUndefined()
})
