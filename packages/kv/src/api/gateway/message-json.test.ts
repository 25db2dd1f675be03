import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KvError } from '../../errors.ts'
import { encodeMessage, schemaOf } from '../../proto/index.ts'
import type { Field, FieldValue, MessageName } from '../../proto/index.ts'
import { readJson } from './json-reader.ts'
import type { JsonNode } from './json-reader.ts'
import { BadJson, encodeFromJson } from './message-from-json.ts'
import { jsonFromMessage } from './message-to-json.ts'

const seed = Number(process.env['SEED'] ?? 20_261_121)
const names: readonly MessageName[] = [
  'RangeRequest',
  'RangeResponse',
  'PutRequest',
  'DeleteRangeResponse',
  'TxnRequest',
  'TxnResponse',
  'WatchRequest',
  'WatchResponse',
  'LeaseTimeToLiveResponse',
  'LeaseLeasesResponse',
  'MemberListResponse',
  'StatusResponse',
  'AlarmResponse',
  'HashKVResponse',
  'AuthRoleGrantPermissionRequest',
]

function nodeOf(text: string): JsonNode {
  return readJson(Buffer.from(text)) ?? { kind: 'null' }
}

/** Random messages as the table describes them, to a depth. */
function messageOf(name: MessageName, depth: number): fc.Arbitrary<Record<string, FieldValue>> {
  const fields = schemaOf(name).fields.filter((field) => depth > 0 || field.type.kind !== 'message')
  const plain = fields.filter((field) => field.oneof === undefined)
  const unions = fields.filter((field) => field.oneof !== undefined)
  const record = (of: readonly Field[]): fc.Arbitrary<Record<string, FieldValue>> =>
    fc.record(Object.fromEntries(of.map((field) => [field.property, valuesOf(field, depth)])))
  if (unions.length === 0) return record(plain)
  const union = fc.constantFrom(...unions).chain((field) => record([field]))
  return fc.tuple(record(plain), union).map(([a, b]) => ({ ...a, ...b }))
}

function valuesOf(field: Field, depth: number): fc.Arbitrary<FieldValue> {
  const one = valueOf(field, depth)
  if (field.repeated) return fc.array(one, { maxLength: 3 })
  // The JSON form leaves zeros out, and an operand of zero is told from a missing one only by the oneof.
  return one
}

function valueOf(field: Field, depth: number): fc.Arbitrary<FieldValue> {
  const { type } = field
  if (type.kind === 'enum') return fc.nat(type.values.length - 1)
  if (type.kind === 'message') {
    const nested = messageOf(type.message, depth - 1)
    if (type.message !== 'KeyValue' && type.message !== 'Event') return nested
    return nested.map((message) => encodeMessage(type.message, message))
  }
  switch (type.scalar) {
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 })
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 10 })
    case 'bool':
      return fc.boolean()
    case 'int64':
      return fc.maxSafeInteger()
    case 'uint64':
      return fc.nat()
    case 'uint32':
      return fc.nat(0xffff_ffff)
    case 'int64id':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'uint64id':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  }
}

test('every message comes back from its JSON form byte for byte', () => {
  for (const name of names) {
    const check = fc.property(messageOf(name, 3), (message) => {
      const bytes = Buffer.from(encodeMessage(name, message))
      const text = jsonFromMessage(name, bytes)
      expect(Buffer.from(encodeFromJson(name, nodeOf(text))).equals(bytes), text).toBe(true)
    })
    fc.assert(check, { seed, numRuns: 60 })
  }
})

test('any JSON at all is either a message or refused with a reason', () => {
  const keys = names.flatMap((name) => schemaOf(name).fields.map((field) => field.name))
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'medium' },
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 4 }),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any
  const check = fc.property(fc.constantFrom(...names), value, (name, json) => {
    try {
      encodeFromJson(name, nodeOf(JSON.stringify(json)))
    } catch (reason) {
      if (!(reason instanceof BadJson) && !(reason instanceof KvError)) throw reason
      expect(reason.message).not.toBe('')
    }
  })
  fc.assert(check, { seed, numRuns: 2000 })
})

test('names that every object has are no fields', () => {
  const json = nodeOf('{"__proto__":{"key":"YQ=="},"constructor":1,"toString":2}')
  expect(encodeFromJson('RangeRequest', json).length).toBe(0)
})
