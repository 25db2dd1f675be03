import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesFields, parseFieldSelector, unsupportedField } from './field-selector.ts'
import { eventType, podType, resourceTypes } from './index.ts'
import { decodeObject } from './schema/decode-object.ts'

const decoded = decodeObject(podType, {
  metadata: { name: 'web', namespace: 'default' },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running' },
})
if (!decoded.ok) throw new Error(decoded.message)
const pod = decoded.object

test.each([
  ['', true],
  ['metadata.name=web', true],
  ['metadata.name==web', true],
  ['metadata.name!=web', false],
  ['spec.nodeName=n1,status.phase!=Failed,status.phase!=Succeeded', true],
  ['status.phase=Failed', false],
  ['metadata.namespace=', false],
  [',metadata.name=web,', true],
])('%s selects the pod: %s', (text, expected) => {
  const parsed = parseFieldSelector(text)
  expect(parsed.ok && matchesFields(podType, parsed.requirements, pod)).toBe(expected)
})

test.each([
  ['x', `invalid selector: 'x'; can't understand 'x'`],
  ['a=b=c', 'invalid field selector: unescaped character in value: ='],
  [String.raw`a=b\c`, String.raw`invalid field selector: invalid escape sequence: \c`],
])('%s is refused', (text, message) => {
  expect(parseFieldSelector(text)).toEqual({ ok: false, message })
})

test('escaped commas and signs belong to the value', () => {
  expect(parseFieldSelector(String.raw`reason=a\,b\=c\\d`)).toEqual({
    ok: true,
    requirements: [{ field: 'reason', operator: '=', value: String.raw`a,b=c\d` }],
  })
})

test('a field that the kind cannot be selected by is named', () => {
  const requirements = (field: string) => [{ field, operator: '=' as const, value: '' }]
  expect(unsupportedField(podType, requirements('spec.foo'))).toBe(
    'field label not supported: spec.foo',
  )
  expect(unsupportedField(podType, requirements('constructor'))).toContain('not supported')
  expect(unsupportedField(eventType, requirements('involvedObject.uid'))).toBeUndefined()
  for (const type of resourceTypes) {
    expect(unsupportedField(type, requirements('metadata.name'))).toBeUndefined()
  }
})

test('any text parses or is refused', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '=', '!', ',', '\\', ' ', '=='), { maxLength: 12 }),
      (pieces) => {
        const parsed = parseFieldSelector(pieces.join(''))
        if (!parsed.ok) expect(parsed.message).not.toBe('')
      },
    ),
    { seed: 5, numRuns: 2000 },
  )
})
