import { expect, test } from 'vitest'
import { parseYaml, yamlDuplicates } from './parse-yaml.ts'

test('booleans are those of YAML 1.1, numbers stay numbers and dates stay text', () => {
  expect(parseYaml('a: yes\nb: on\nc: 017\nd: 2020-01-01\ne: [1, "1"]\n')).toEqual({
    a: true,
    b: true,
    c: 15,
    d: '2020-01-01',
    e: [1, '1'],
  })
  expect(parseYaml('')).toBe(null)
  expect(parseYaml('--- # nothing\n')).toBe(null)
})

test('JSON is taken as it is, with keys that look like those of a prototype', () => {
  const value = parseYaml('{"a": {"__proto__": 1}}')
  expect(JSON.stringify(value)).toBe('{"a":{"__proto__":1}}')
  expect(parseYaml('{a: 1}')).toEqual({ a: 1 })
})

test('a document nested without end is refused before it can fill the stack', () => {
  const levels = 50_000
  const documents = {
    flow: 'a: ' + '['.repeat(levels),
    'flow maps': '{"a":'.repeat(levels),
    'closed flow': '['.repeat(levels) + ']'.repeat(levels),
    sequences: '- '.repeat(levels) + 'x',
    maps: Array.from({ length: 1000 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
    'explicit keys': '? '.repeat(levels) + 'x',
  }
  for (const [name, text] of Object.entries(documents)) {
    expect(() => parseYaml(text), name).toThrow(/nested deeper than 200 levels/)
  }
})

test('a document of a hundred levels is read', () => {
  const text = Array.from({ length: 100 }, (_, level) => `${' '.repeat(level)}a:\n`).join('')
  expect(JSON.stringify(parseYaml(text))).toBe(`${'{"a":'.repeat(100)}null${'}'.repeat(100)}`)
})

test('aliases that multiply, circles, several documents and broken text are refused in one line', () => {
  const bombs = Array.from(
    { length: 12 },
    (_, level) => `a${level}: &a${level} [${`*a${level - 1},`.repeat(level === 0 ? 0 : 9)}x]\n`,
  )
  for (const text of [bombs.join(''), 'a: &x [*x]', 'a: 1\n---\nb: 2\n', 'a: [b', '\t- x: {']) {
    expect(() => parseYaml(text)).toThrow(/^error converting YAML to JSON: yaml: [^\n]+$/)
  }
})

test('of a key that is there twice the last counts, and the line of the second is told', () => {
  const text = '\na: 1\nspec:\n  foo: x\n  "foo": z\n  b: {c: 1, c: 2}\n'
  expect(parseYaml(text)).toEqual({ a: 1, spec: { foo: 'z', b: { c: 2 } } })
  expect(yamlDuplicates(text)).toEqual([
    'line 5: key "foo" already set in map',
    'line 6: key "c" already set in map',
  ])
})

test('keys without number are read in one go, and so many of them that are there twice are told', () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}: v\n`).join('')
  expect(Object.keys(parseYaml(keys) as object)).toHaveLength(10_000)
  const twice = 'k: v\n'.repeat(10_000)
  expect(parseYaml(twice)).toEqual({ k: 'v' })
  expect(yamlDuplicates(twice)).toHaveLength(100)
  expect(yamlDuplicates(twice).at(-1)).toBe('line 101: key "k" already set in map')
})

test.each([
  ['aliases', 'a: &a x\nb: [' + '*a,'.repeat(5000) + ']', 'document contains excessive aliasing'],
  ['directives', '%X y\n'.repeat(50_000) + '---\na: b', 'document has too many parts'],
  ['comments', '#\n'.repeat(260_000), 'document has too many parts'],
])('%s without number are refused before they are looked at', (_what, text, problem) => {
  expect(() => parseYaml(text)).toThrow(`error converting YAML to JSON: yaml: ${problem}`)
})
