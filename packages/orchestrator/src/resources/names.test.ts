import { expect, test } from 'vitest'
import {
  configKeyProblems,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  envNameProblems,
  generateName,
  labelValueProblems,
  portNameProblems,
  qualifiedNameProblems,
} from './names.ts'
import { podTemplateHash } from './pod-template-hash.ts'

test.each<[string, (text: string) => readonly string[], string[], string[]]>([
  [
    'dns1123LabelProblems',
    dns1123LabelProblems,
    ['a', 'a-b', '0', 'a'.repeat(63)],
    ['', 'A', '-a', 'a.b', 'a'.repeat(64)],
  ],
  [
    'dns1123SubdomainProblems',
    dns1123SubdomainProblems,
    ['a.b', 'a-1.b'],
    ['', 'a..b', 'a_b', '.a', 'a'.repeat(254)],
  ],
  ['dns1035LabelProblems', dns1035LabelProblems, ['a', 'a1'], ['1a', '', 'A']],
  [
    'qualifiedNameProblems',
    qualifiedNameProblems,
    ['a', 'A_b.c', 'x.io/A'],
    ['', '/a', 'a/', 'a/b/c', '__proto__', 'X/a'],
  ],
  ['labelValueProblems', labelValueProblems, ['', 'A', 'a_b.c-d'], ['-a', 'a b', 'a'.repeat(64)]],
  [
    'configKeyProblems',
    configKeyProblems,
    ['a', '.a', 'A_b-c.d'],
    ['', '.', '..', '..a', 'a/b', 'a'.repeat(254)],
  ],
  ['envNameProblems', envNameProblems, ['A', '_a', 'a.b-c'], ['', '1a', 'a=b', 'a b']],
  [
    'portNameProblems',
    portNameProblems,
    ['http', 'a1'],
    ['', '80', 'a--b', '-a', 'a'.repeat(16), 'A'],
  ],
])('%s knows good from bad', (_name, problemsOf, good, bad) => {
  expect(good.filter((text) => problemsOf(text).length > 0)).toEqual([])
  expect(bad.filter((text) => problemsOf(text).length === 0)).toEqual([])
})

test('a generated name fits a label and ends in five safe characters', () => {
  const random = (): number => 0.999
  expect(generateName('web-', random)).toBe('web-99999')
  expect(generateName('x'.repeat(100), random)).toHaveLength(63)
})

test('equal templates hash equally whatever the order of their fields, different ones differently', () => {
  const container = { name: 'c', resources: {} }
  const hash = podTemplateHash({ spec: { containers: [container], restartPolicy: 'Always' } })
  expect(podTemplateHash({ spec: { restartPolicy: 'Always', containers: [container] } })).toBe(hash)
  expect(podTemplateHash({ spec: { containers: [container] } })).not.toBe(hash)
  expect(
    podTemplateHash({ spec: { containers: [container], restartPolicy: 'Always' } }, 1),
  ).not.toBe(hash)
  expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
})
