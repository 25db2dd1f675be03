import { expect, test, vi } from 'vitest'
import type { JsonSchema, ValidationRule } from '../../resources/custom/json-schema.ts'
import type { Json } from '../../resources/object.ts'
import { validateValue } from '../../resources/custom/validate-value.ts'
import { celEnvironment } from './cel-environment.ts'
import { CelBudgetError, compileCel } from './cel-program.ts'
import { compileRules, ruleProblems } from './cel-rules.ts'

const withRules = (
  properties: Readonly<Record<string, JsonSchema>>,
  ...rules: readonly ValidationRule[]
): JsonSchema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': rules } },
})
const errorsOf = (schema: JsonSchema, spec: Json, old?: Json): string[] =>
  compileRules(schema)({ spec }, old === undefined ? undefined : { spec: old }).map(
    ({ field, message }) => `${field}: ${message}`,
  )

const integer: JsonSchema = { type: 'integer' }
const text: JsonSchema = { type: 'string' }

test('a rule holds or says its message, its expression, or itself', () => {
  const schema = withRules(
    { a: integer, b: integer },
    { rule: 'self.a <= self.b', message: 'a is above b' },
    { rule: 'self.a != 7', messageExpression: '"not " + string(self.a)' },
    { rule: 'self.a != 8', reason: 'FieldValueForbidden', fieldPath: '.a' },
  )
  expect(errorsOf(schema, { a: 1, b: 2 })).toEqual([])
  expect(errorsOf(schema, { a: 3, b: 2 })).toEqual(['spec: Invalid value: "object": a is above b'])
  expect(errorsOf(schema, { a: 7, b: 9 })).toEqual(['spec: Invalid value: "object": not 7'])
  expect(errorsOf(schema, { a: 8, b: 9 })).toEqual(['spec.a: Forbidden: failed rule: self.a != 8'])
})

test('a rule about the value before is asked at updates alone, by the key of a list item', () => {
  const schema = withRules({
    name: {
      ...text,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'is immutable' }],
    },
    items: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
      items: {
        type: 'object',
        properties: { id: text, v: integer },
        'x-kubernetes-validations': [{ rule: 'self.v >= oldSelf.v', message: 'falls' }],
      },
    },
  })
  const before = { name: 'a', items: [{ id: 'x', v: 2 }] }
  expect(errorsOf(schema, before)).toEqual([])
  expect(errorsOf(schema, { name: 'b', items: [] }, before)).toEqual([
    'spec.name: Invalid value: "b": is immutable',
  ])
  const after = {
    name: 'a',
    items: [
      { id: 'new', v: 0 },
      { id: 'x', v: 1 },
    ],
  }
  expect(errorsOf(schema, after, before)).toEqual(['spec.items[1]: Invalid value: "object": falls'])
})

test('the functions of Kubernetes are there', () => {
  const holds = [
    'self.list.all(x, x.startsWith("a"))',
    'self.list.isSorted() && self.numbers.sum() == 6 && self.numbers.max() == 3',
    '"a1b2".findAll("[0-9]") == ["1", "2"] && "abc".replace("b", "x") == "axc"',
    'quantity("1Gi").isGreaterThan(quantity("500Mi")) && isQuantity("1m") && !isQuantity("x")',
    'isURL("https://example.com") && isIP("::1") && isCIDR("10.0.0.0/8")',
    'self.since < timestamp("2021-01-01T00:00:00Z")',
    'has(self.list) && !has(self.nothing) && self.?nothing.orValue(3) == 3',
    'self.__namespace__ == "n" && self.a__dash__b == 1 && self.map["a-b"] == "c"',
  ]
  const schema = withRules(
    {
      list: { type: 'array', items: text },
      numbers: { type: 'array', items: integer },
      since: { type: 'string', format: 'date-time' },
      namespace: text,
      'a-b': integer,
      map: { type: 'object', additionalProperties: text },
    },
    ...holds.map((rule) => ({ rule })),
  )
  expect(ruleProblems(schema)).toEqual([])
  const spec = {
    list: ['a', 'ab'],
    numbers: [1, 2, 3],
    since: '2020-01-01T00:00:00Z',
    namespace: 'n',
    'a-b': 1,
    map: { 'a-b': 'c' },
  }
  expect(errorsOf(schema, spec)).toEqual([])
})

test('a rule that is none is named with its place, one that fails while it runs is a failure', () => {
  const schema = withRules(
    { a: integer },
    { rule: 'self.a +' },
    { rule: 'what(self.a)' },
    { rule: 'self.a.b' },
  )
  expect(ruleProblems(schema).map(({ field }) => field)).toEqual([
    'properties[spec].x-kubernetes-validations[0].rule',
    'properties[spec].x-kubernetes-validations[1].rule',
  ])
  expect(errorsOf(schema, { a: 1 })).toEqual([
    expect.stringContaining('spec: Invalid value: "object": rule evaluation error: '),
  ])
})

test('an update may leave a rule broken where it changes nothing, but not one about the value before', () => {
  const schema = withRules(
    {
      limit: {
        ...integer,
        'x-kubernetes-validations': [{ rule: 'self < 5', message: 'too much' }],
      },
      level: {
        ...integer,
        'x-kubernetes-validations': [{ rule: 'self > oldSelf', message: 'must rise' }],
      },
      note: text,
    },
    { rule: 'has(self.note)', message: 'needs a note' },
  )
  const before = { limit: 9 }
  expect(errorsOf(schema, before, before)).toEqual([])
  expect(errorsOf(schema, { limit: 8 }, before)).toEqual([
    'spec: Invalid value: "object": needs a note',
    'spec.limit: Invalid value: 8: too much',
  ])
  expect(errorsOf(schema, { limit: 9, note: 'x' }, before)).toEqual([])
  expect(errorsOf(schema, { limit: 9, level: 1 }, { limit: 9, level: 1 })).toEqual([
    'spec.level: Invalid value: 1: must rise',
  ])
})

test('the clock stops a loop of few rounds that are dear', () => {
  const run = compileCel(celEnvironment(['l']), 'l.all(x, x == 1)')
  let nowMs = 0
  const now = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 800))
  try {
    expect(() => run({ l: Array.from({ length: 100 }, () => 1n) })).toThrow(CelBudgetError)
  } finally {
    now.mockRestore()
  }
})

test.each(['^(a+)+$', '(?i)^(A|é)+$', '^((a{1,30}){1,30})$', '^(a|aa)+$'])(
  'a search for %s ends, however the text looks',
  (pattern) => {
    // By going back this would take years.
    const text = `${'a'.repeat(100)}!`
    for (const expression of [`self.matches('${pattern}')`, `matches(self, '${pattern}')`])
      expect(compileCel(celEnvironment(['self']), expression)({ self: text })).toBe(false)
    const schema = { type: 'string', pattern } as const
    expect(validateValue(schema, text, 'spec').map(({ message }) => message)).toEqual([
      `Invalid value: "${text}": spec in body should match '${pattern}'`,
    ])
    expect(validateValue(schema, 'a'.repeat(20), 'spec')).toEqual([])
  },
)

test('patterns are those of Go: what they find, how often, and what is wrong with them', () => {
  const run = (expression: string): unknown =>
    compileCel(celEnvironment(['s']), expression)({ s: 'aXbXc' })
  expect(run("s.matches('(?i)^AXB')")).toBe(true)
  expect(run("s.find('[bX]+')")).toBe('XbX')
  expect(run("s.findAll('(?i)x')")).toEqual(['X', 'X'])
  expect(run("s.findAll('.', 2)")).toEqual(['a', 'X'])
  expect(() => run("s.matches('(?=a)')")).toThrow(
    'error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
  )
  expect(() => run('"a".matches(1)')).toThrow(
    /applied to|found no matching overload for 'string.matches/,
  )
})

test('searches that take too long use up what rules may cost, and a schema says so', () => {
  const pattern = '(?:a?){500}(?:b?){400}$'
  const rule = compileCel(celEnvironment(['self']), `self.matches('${pattern}') || true`)
  const text = 'a'.repeat(500_000)
  expect(() => rule({ self: text })).toThrow(CelBudgetError)
  const [error] = validateValue({ type: 'string', pattern }, text, 'spec')
  expect(error?.message).toMatch(/, but the search for a pattern takes too long$/)
})

test('has() asks for members of anything, as rules of well-known kinds do', () => {
  const list: JsonSchema = {
    type: 'array',
    items: { type: 'object', properties: { path: { type: 'object', properties: { type: text } } } },
  }
  const rules = [
    'size(self.list) != 1 || !has(self.list[0].path)',
    'self.list.all(one, has([one][0].path) == has(one.path))',
    'self.list.map(one, one).all(one, !has(self.list[0].path.type) || has(one.path.type))',
  ]
  const schema = withRules({ list }, ...rules.map((rule) => ({ rule })))
  expect(ruleProblems(schema)).toEqual([])
  expect(errorsOf(schema, { list: [{ path: {} }, {}] })).toEqual([])
  expect(errorsOf(schema, { list: [{ path: { type: 'a' } }] })).toHaveLength(1)
  expect(errorsOf(schema, { list: [{ path: { type: 'a' } }, { path: {} }] })).toHaveLength(1)
})

test('a rule about a field that the schema does not have is none, wherever it stands', () => {
  const problemsOf = (schema: JsonSchema): readonly string[] =>
    ruleProblems(schema).map(({ field, problem }) => `${field}: ${problem.split('\n')[0] ?? ''}`)
  const properties: Readonly<Record<string, JsonSchema>> = {
    a: integer,
    'x-y': text,
    port: { 'x-kubernetes-int-or-string': true },
    list: { type: 'array', items: { type: 'object', properties: { name: text } } },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { b: text } } },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  }
  const right = [
    'self.a > 0 && self.x__dash__y.size() < 5 && self.port == 1 && self.open.any.thing == 2',
    'self.list.all(one, one.name != "") && self.map.all(key, self.map[key].b == key)',
    'has(self.a) || self.a == oldSelf.a || self.?list[0].?name.orValue("") == ""',
  ].map((rule) => ({ rule }))
  expect(problemsOf(withRules(properties, ...right))).toEqual([])
  const at = 'properties[spec].x-kubernetes-validations'
  const wrong = ['self.z > 0', 'self.list.exists(one, one.nope == 1)', 'oldSelf.map["k"].c == ""']
  expect(problemsOf(withRules(properties, ...wrong.map((rule) => ({ rule }))))).toEqual([
    `${at}[0].rule: compilation failed: ERROR: <input>:1:6: undefined field 'z'`,
    `${at}[1].rule: compilation failed: ERROR: <input>:1:27: undefined field 'nope'`,
    `${at}[2].rule: compilation failed: ERROR: <input>:1:18: undefined field 'c'`,
  ])
  const whole = (rule: string): readonly string[] =>
    problemsOf({ type: 'object', properties, 'x-kubernetes-validations': [{ rule }] })
  expect(whole('self.metadata.name == self.kind')).toEqual([])
  expect(whole('self.metadata.labels == {}')).toHaveLength(1)
})
