import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

test.each([
  [
    'POST',
    'dryRun=Some',
    'CreateOptions',
    'dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ],
  [
    'PUT',
    'fieldValidation=No',
    'UpdateOptions',
    'fieldValidation: Unsupported value: "No": supported values: "Ignore", "Strict", "Warn"',
  ],
  [
    'POST',
    `fieldManager=${'x'.repeat(129)}`,
    'CreateOptions',
    'fieldManager: Too long: may not be more than 128 bytes',
  ],
  [
    'PATCH',
    'fieldManager=a%07b',
    'PatchOptions',
    String.raw`fieldManager: Invalid value: "a\u0007b": should only contain printable characters`,
  ],
  [
    'DELETE',
    'propagationPolicy=No',
    'DeleteOptions',
    'propagationPolicy: Unsupported value: "No": supported values: "Foreground", "Background", "Orphan", "nil"',
  ],
  [
    'DELETE',
    'propagationPolicy=Orphan&orphanDependents=true',
    'DeleteOptions',
    'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  ],
])('%s with %s is refused as invalid %s', async (method, query, kind, message) => {
  const path = method === 'POST' ? configMaps : `${configMaps}/a`
  const { status, json } = await api.request(method, `${path}?${query}`, {
    body: { metadata: { name: 'a' } },
    headers: method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {},
  })
  expect([status, json.message]).toEqual([422, `${kind}.meta.k8s.io "" is invalid: ${message}`])
})

test('a PUT of an object without a name is refused', async () => {
  const { status, json } = await api.request('PUT', `${configMaps}/a`, { body: { data: {} } })
  expect([status, json.message]).toEqual([
    400,
    'the name of the object (a based on URL) was undeterminable: name must be provided',
  ])
})

test('names of sysctls are checked', async () => {
  const sysctls = ['foo-', 'kernel.shmmax', 'bar..', 'kernel/shmmax', 'kernel.shmmax'].map(
    (name) => ({ name, value: '1' }),
  )
  const body = {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }], securityContext: { sysctls } },
  }
  const { status, json } = await api.request('POST', '/api/v1/namespaces/default/pods', { body })
  const at = (index: number): string => `spec.securityContext.sysctls[${index}].name`
  expect([status, json.details.causes.map(({ field }: { field: string }) => field)]).toEqual([
    422,
    [at(0), at(2), at(4)],
  ])
  expect(json.message).toContain('Invalid value: "foo-": must have at most 253 characters')
})

test('what a patch brings that the kind does not have is refused, told or dropped', async () => {
  await api.request('POST', configMaps, {
    body: { metadata: { name: 'strict' }, data: { a: '1' } },
  })
  const send = async (
    type: string,
    body: unknown,
    validation: string,
  ): Promise<readonly [number, string, string | undefined]> => {
    const { status, json, headers } = await api.request(
      'PATCH',
      `${configMaps}/strict?fieldValidation=${validation}&dryRun=All`,
      { body, headers: { 'content-type': `application/${type}-patch+json` } },
    )
    return [status, json.message, headers['warning']]
  }
  const operations = [{ op: 'add', path: '/datas', value: { a: { b: 1 } } }]
  const members = { datas: { b: ['x', null, 2] } }
  const problem = 'strict decoding error: unknown field "datas"'
  const [code, text, warning] = await send('json', operations, 'Strict')
  expect([code, warning]).toEqual([422, undefined])
  expect(text).toMatch(/^ "" is invalid: patch: Invalid value: "\{.*\\"datas\\":.*\}": strict/)
  expect(text.endsWith(`: ${problem}`)).toBe(true)
  expect((await send('merge', members, 'Strict'))[1].endsWith(`: ${problem}`)).toBe(true)
  expect(await send('strategic-merge', members, 'Strict')).toEqual([
    422,
    ` "" is invalid: patch: Invalid value: "map[datas:map[b:[x <nil> 2]]]": ${problem}`,
    undefined,
  ])
  expect(await send('json', operations, 'Warn')).toEqual([
    200,
    undefined,
    String.raw`299 - "unknown field \"datas\""`,
  ])
  expect(await send('json', operations, 'Ignore')).toEqual([200, undefined, undefined])
  const twice = '[{"op":"add","path":"/data/b","value":"1","value":"2","from":"","more":1}]'
  expect((await send('json', twice, 'Strict'))[1]).toContain(
    'strict decoding error: json patch duplicate field "[0].value", json patch unknown field "[0].more"',
  )
  expect((await send('merge', '{"data":{"b":"1","b":"2"}}', 'Warn'))[2]).toBe(
    String.raw`299 - "duplicate field \"data.b\""`,
  )
  expect(await send('strategic-merge', { data: 1, immutable: 'x' }, 'Ignore')).toEqual([
    422,
    ' "" is invalid: patch: Invalid value: "map[data:1 immutable:x]": cannot restore map from int64',
    undefined,
  ])
})

test('what clients in Python call False is false', async () => {
  const list = await api.request('GET', `${configMaps}?watch=False&allowWatchBookmarks=FALSE`)
  expect(list.json.kind).toBe('ConfigMapList')
})
