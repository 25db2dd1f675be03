// Whatever comes as a query, a token, a head or a body in any form is answered, never with a failure of the server but the one that upstream has.
import {
  array,
  asyncProperty,
  assert,
  constantFrom,
  oneof,
  record,
  string,
  tuple,
  uint8Array,
} from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const maps = '/api/v1/namespaces/default/configmaps'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
  for (const name of ['a', 'b', 'c'])
    await api.request('POST', maps, { body: { metadata: { name }, data: { k: 'v' } } })
})
afterAll(async () => {
  await api.close()
})

/** A server that has not seen the revision yet is no failure. */
const isAnswer = (status: number, text: string): boolean =>
  status >= 200 && (status < 500 || (status === 504 && text.includes('ResourceVersionTooLarge')))

const check = async (
  method: string,
  path: string,
  options: Parameters<ApiFixture['request']>[2] = {},
): Promise<void> => {
  const { status, text } = await api.request(method, path, options)
  expect(
    isAnswer(status, text),
    `${method} ${path.slice(0, 200)}: ${status} ${text.slice(0, 300)}`,
  ).toBe(true)
  expect(api.errors).toEqual([])
}

/** Text of pieces that mean something, and of anything. */
const textOf = (...pieces: readonly string[]): ReturnType<typeof string> =>
  array(
    oneof(
      { arbitrary: constantFrom(...pieces), weight: 4 },
      string({ unit: 'binary', maxLength: 3 }),
    ),
    {
      maxLength: 8,
    },
  ).map((parts) => parts.join(''))

const selector = textOf(
  'a',
  '=',
  '==',
  '!=',
  '!',
  ' in ',
  ' notin ',
  '(',
  ')',
  ',',
  'metadata.name',
  '\\',
  '__proto__',
  'b/c',
  '>',
  '1',
)
const number = textOf('0', '1', '-', '.', 'e9', '99999999999999999999', 'x', ' ')
const names = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'timeout',
  'continue',
  'pretty',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'gracePeriodSeconds',
  'propagationPolicy',
  'constructor',
  '__proto__',
]
const value = oneof(
  selector,
  number,
  constantFrom('Exact', 'NotOlderThan', 'All', 'true', '1s', 'Orphan', 'Strict'),
)

test(`queries of all kinds are answered (SEED=${seed})`, async () => {
  const asked = tuple(
    constantFrom('GET', 'GET', 'DELETE'),
    constantFrom(
      maps,
      `${maps}/none`,
      '/api/v1/pods',
      '/apis/apps/v1/deployments',
      '/version',
      '/openapi/v3',
    ),
    array(tuple(constantFrom(...names), value), { maxLength: 4 }),
  )
  await assert(
    asyncProperty(asked, async ([method, path, query]) => {
      const text = query.map(([name, one]) => `${name}=${encodeURIComponent(one)}`)
      await check(
        method === 'DELETE' ? method : 'GET',
        `${method === 'DELETE' ? `${maps}/none` : path}?${text.join('&')}`,
      )
    }),
    { seed, numRuns: 150 },
  )
})

test(`continue tokens and bearer tokens that are none are refused (SEED=${seed})`, async () => {
  const { json } = await api.request('GET', `${maps}?limit=1`)
  const real: string = json.metadata.continue
  const content = Buffer.from(real, 'base64url').toString('latin1')
  const token = oneof(
    textOf(
      '{"v":"meta.k8s.io/v1",',
      '"rv":',
      '1',
      '-1',
      ',',
      '"start":"',
      'a\\u0000',
      '../',
      '"}',
      '{',
      '[',
    ).map((text) => Buffer.from(text)),
    uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    tuple(
      constantFrom(...Array.from(content, (_one, index) => index)),
      string({ unit: 'binary', maxLength: 2 }),
    ).map(([index, text]) =>
      Buffer.from(content.slice(0, index) + text + content.slice(index + 1)),
    ),
  )
  const bearer = array(token, { minLength: 1, maxLength: 4 }).map((parts) =>
    parts.map((part) => part.toString('base64url')).join('.'),
  )
  const stranger = api.connectAs(undefined)
  await assert(
    asyncProperty(token, bearer, async (one, two) => {
      await check('GET', `${maps}?limit=1&continue=${one.toString('base64url')}`)
      const stream = stranger.request({ ':path': maps, authorization: `Bearer ${two}` })
      const status = await new Promise((resolve) => {
        stream.once('response', (head) => resolve(head[':status']))
      })
      stream.resume()
      expect([401, 403]).toContain(status)
    }),
    { seed, numRuns: 80 },
  )
  stranger.destroy()
})

test(`bodies in every form, whole, cut or without sense, are answered (SEED=${seed})`, async () => {
  const types = [
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
    'constructor',
  ]
  const json = textOf(
    '{',
    '}',
    '[',
    ']',
    '"metadata":',
    '"name":',
    '"a"',
    ',',
    ':',
    'null',
    '1e400',
    '"$patch":',
    '"delete"',
    '"__proto__":',
    '"op":"add"',
    '"path":"/data/x"',
    '\\ud800',
    '"$setElementOrder/finalizers":',
    '"kind":',
    '"ConfigMap"',
  )
  const yaml = textOf(
    'a: ',
    '- ',
    '\n',
    '  ',
    '&x ',
    '*x',
    '<<: ',
    '!!binary ',
    '? ',
    '{',
    '[',
    '|\n',
    '>-\n',
    '---\n',
    '"',
    "'",
    '%YAML 1.1\n',
    '#',
    'metadata:',
    'name: a',
    '\t',
  )
  const envelope = uint8Array({ maxLength: 80 }).map((bytes) =>
    Buffer.concat([Buffer.from('k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap', 'latin1'), bytes]),
  )
  const patch = record({
    op: constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path: textOf(
      '/',
      'metadata',
      'labels',
      '-',
      '0',
      '~1',
      '~',
      '__proto__',
      'constructor',
      'prototype',
      'data',
      'k',
    ),
    from: textOf('/', 'metadata', 'data', 'k', '~', '__proto__'),
    value: oneof(constantFrom(null, 1, 'x', [], {}), json),
  })
  const body = oneof(
    json,
    yaml,
    envelope,
    array(patch, { maxLength: 3 }).map((all) => JSON.stringify(all)),
    uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  )
  await assert(
    asyncProperty(constantFrom(...types), body, async (type, sent) => {
      const headers = { 'content-type': type }
      const bytes = typeof sent === 'string' ? Buffer.from(sent) : sent
      await check('POST', `${maps}?dryRun=All`, { body: bytes, headers })
      await check('PUT', `${maps}/a?dryRun=All`, { body: bytes, headers })
      await check('PATCH', `${maps}/a?dryRun=All&fieldManager=m`, { body: bytes, headers })
      await check('DELETE', `${maps}/none`, { body: bytes, headers })
    }),
    { seed, numRuns: 120 },
  )
  expect(Object.keys(Object.prototype)).toEqual([])
})

const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)

test.each([
  ['application/json', 'POST', `[${'['.repeat(30_000)}`],
  ['application/json', 'POST', nested(30_000)],
  [
    'application/json',
    'POST',
    `{"kind":"ConfigMap","metadata":{"name":"d"},"data":${nested(30_000)}}`,
  ],
  [
    'application/json',
    'POST',
    `{"metadata":{"name":"d","managedFields":[{"manager":"x","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":${nested(30_000)}}]}}`,
  ],
  ['application/yaml', 'POST', '- '.repeat(20_000)],
  ['application/yaml', 'POST', `a: ${'['.repeat(20_000)}`],
  [
    'application/json-patch+json',
    'PATCH',
    `[{"op":"add","path":"/data/x","value":${nested(30_000)}}]`,
  ],
  ['application/merge-patch+json', 'PATCH', `{"data":${nested(30_000)}}`],
  ['application/strategic-merge-patch+json', 'PATCH', `{"data":${nested(30_000)}}`],
  [
    'application/apply-patch+yaml',
    'PATCH',
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":${nested(30_000)}}`,
  ],
])('a body of %s that is nested without end is refused: %s', async (type, method, body) => {
  const path = method === 'POST' ? maps : `${maps}/a?fieldManager=m`
  const { status, text } = await api.request(method, path, {
    body,
    headers: { 'content-type': type },
  })
  expect([400, 413, 422], text.slice(0, 300)).toContain(status)
  expect(api.errors).toEqual([])
})
