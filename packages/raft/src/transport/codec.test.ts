// Goal: what is encoded is decoded to the same, and no bytes whatsoever make the decoder do anything but return messages that the core
// may step, or throw MalformedBytesError. Method: properties over generated messages, damaged frames and random bytes.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import { encodeMembership } from '../core/membership.ts'
import type { Entry, Membership, Message, NodeId } from '../core/types.ts'
import { decodeFrame, encodeFrame, messageSizeBytes } from './codec.ts'

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
      { type: 'requestVote', ...head, lastLogIndex: x, lastLogTerm: y, preVote: p, force: q },
      { type: 'requestVoteResult', ...head, granted: p, preVote: q, commit: x, commitTerm: y },
      { type: 'appendEntriesResult', ...head, index: x, rejected: p, hintIndex: y, hintTerm: z },
      { type: 'heartbeat', ...head, commit: x, readSequence: y },
      { type: 'heartbeatResult', ...head, readSequence: x },
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

test('every message comes back as it was, several in one frame', () => {
  fc.assert(
    fc.property(frame, (messages) => {
      const encoded = encodeFrame(messages)
      expect(encoded.length).toBe(
        messages.reduce((sum, message) => sum + messageSizeBytes(message), 0),
      )
      expect(decodeFrame(encoded, from, to)).toEqual(messages)
    }),
    { seed, numRuns: 200 },
  )
})

/** Returns the messages, or undefined if the frame is refused in the one way that is allowed. */
function tryDecode(data: Uint8Array): readonly Message[] | undefined {
  try {
    return decodeFrame(data, from, to)
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedBytesError)
    return undefined
  }
}

test('what a damaged frame is decoded to encodes to the very same bytes, or it is refused', () => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), (messages, at, flip) => {
      const damaged = Buffer.from(encodeFrame(messages))
      if (damaged.length === 0) return
      const position = at % damaged.length
      damaged[position] = (damaged[position] ?? 0) ^ flip
      const decoded = tryDecode(damaged)
      if (decoded !== undefined) expect(encodeFrame(decoded)).toEqual(damaged)
    }),
    { seed, numRuns: 800 },
  )
})

test('a frame that is cut short is refused, wherever it is cut inside a message', () => {
  fc.assert(
    fc.property(appendEntries, fc.nat(), (message, at) => {
      const whole = encodeFrame([message])
      expect(tryDecode(whole.subarray(0, 1 + (at % (whole.length - 1))))).toBeUndefined()
    }),
    { seed, numRuns: 200 },
  )
})

test('random bytes are refused, and large counts ask for no memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (data) => {
      const decoded = tryDecode(data)
      if (decoded !== undefined) expect(encodeFrame(decoded)).toEqual(Buffer.from(data))
    }),
    { seed, numRuns: 2000 },
  )
  const claim = encodeFrame([
    { type: 'propose', ...base, term: 1, sequence: 1, payloads: [Buffer.alloc(8)] },
  ])
  claim.writeUInt32LE(0xffff_ffff, 4 + 1 + 8 + 8)
  expect(tryDecode(claim)).toBeUndefined()
})
